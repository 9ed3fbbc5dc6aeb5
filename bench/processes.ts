import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** The processes of a measurement: started together, ended together. */
export type Processes = {
  readonly start: (command: string, argv: readonly string[], env?: Readonly<Record<string, string>>) => ChildProcess
  /** Asks all to end, the last one first, and ends what is still there two seconds later. */
  readonly stop: () => Promise<void>
}

const PATIENCE_MS = 2_000
/** Of what a process says so much is kept, in characters. */
const LONGEST_TEXT = 64 * 1024

/** Makes an empty set of processes. What they say on standard error is shown when `lineOf` or `ended` fails. */
export function openProcesses(): Processes {
  const running: ChildProcess[] = []
  return {
    start(command, argv, env = {}) {
      const child = spawn(command, [...argv], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
      running.push(child)
      // What nobody reads would hold it once the pipe is full.
      for (const stream of [child.stdout, child.stderr]) stream.resume()
      return child
    },
    async stop() {
      const gone = running.map((child) => untilGone(child))
      for (const child of running.toReversed()) child.kill('SIGTERM')
      await Promise.race([Promise.all(gone), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))])
      for (const child of running) child.kill('SIGKILL')
      // Their ports are wanted again.
      await Promise.all(gone)
    },
  }
}

function untilGone(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => child.once('exit', resolve))
}

/** The first whole line of a process's output that looks as wanted. */
export function lineOf(child: ChildProcess, wanted: RegExp): Promise<string> {
  return new Promise((found, failed) => {
    const said = listen(child, (text) => {
      const line = text.split('\n').find((candidate, at, all) => at < all.length - 1 && wanted.test(candidate))
      if (line !== undefined) found(line)
    })
    child.on('exit', (code) => failed(new Error(`ended with ${code}: ${said().slice(-2000)}`)))
  })
}

/** Resolves when a process has ended well. */
export function ended(child: ChildProcess): Promise<void> {
  const said = listen(child, () => undefined)
  return new Promise((done, failed) =>
    child.on('exit', (code) => (code === 0 ? done() : failed(new Error(`ended with ${code}: ${said().slice(-2000)}`)))),
  )
}

function listen(child: ChildProcess, onText: (text: string) => void): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString('utf8')).slice(-LONGEST_TEXT)
      onText(text)
    })
  return () => text
}

/** The ids of the processes that a process has started itself, by the first word of their command line after the program. */
export function childrenOf(pid: number): ReadonlyMap<string, number> {
  const ids = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number),
  )
  return new Map(ids.map((id) => [readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0')[1] ?? '', id]))
}
