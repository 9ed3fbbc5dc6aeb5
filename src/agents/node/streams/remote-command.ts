import type { Readable, Writable } from 'node:stream'
import type { RemoteProgram, TerminalSize } from '../remote-program.ts'
import type { CommandStreams } from './command-streams.ts'
import { IDLE_MS } from './end-gently.ts'
import { exitStatus, failedStatus, SUCCESS, type CommandStatus } from './status.ts'

/**
 * Ties a client to a program until either ends. The exit code goes to the client after all output; a client that goes away ends
 * an exec's program, and lets the program of an attach go on.
 *
 * @param command what was run; undefined for an attach, whose end is a success
 */
export async function carry(
  streams: CommandStreams,
  start: () => Promise<RemoteProgram>,
  command: readonly string[] | undefined,
): Promise<void> {
  const idle = setTimeout(streams.cut, IDLE_MS)
  idle.unref()
  try {
    await streams.sendStatus(await run(streams, start, command, () => void idle.refresh()))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const what = command === undefined ? 'error attaching to container' : 'error executing command in container'
    await streams.sendStatus(failedStatus(`${what}: ${why}`))
  } finally {
    clearTimeout(idle)
    streams.close()
  }
}

async function run(
  streams: CommandStreams,
  start: () => Promise<RemoteProgram>,
  command: readonly string[] | undefined,
  stir: () => void,
): Promise<CommandStatus> {
  const program = await start()
  const end = (): void => program.end()
  streams.gone.addEventListener('abort', end, { once: true })
  if (streams.gone.aborted) end()
  try {
    if (streams.stdin && program.stdin) feed(streams.stdin, program.stdin, stir)
    if (streams.resize) followSizes(streams.resize, program.resize)
    const output = Promise.all([
      drain(program.stdout, streams.stdout, stir),
      drain(program.stderr, streams.stderr, stir),
    ])
    const code = await program.exited
    await output
    return command === undefined ? SUCCESS : exitStatus(command, code)
  } finally {
    streams.gone.removeEventListener('abort', end)
    end()
  }
}

function feed(from: Readable, to: Writable, stir: () => void): void {
  to.on('error', () => undefined)
  // a program that does not read any more must not hold up what else comes on the connection
  to.once('close', () => from.resume())
  from.on('data', stir)
  from.pipe(to)
}

/** Copies output to the client; resolves when all is sent. However late the last of it comes, and however slow the client is: it is waited for. */
function drain(from: Readable | undefined, to: Writable | undefined, stir: () => void): Promise<void> {
  if (from === undefined) return finish(to)
  if (to === undefined) return Promise.resolve(void from.resume())
  return new Promise((resolve) => {
    let isOver = false
    const over = (): void => {
      if (isOver) return
      isOver = true
      from.destroy()
      void finish(to).then(resolve)
    }
    from.on('data', stir)
    from.pipe(to, { end: false })
    for (const event of ['end', 'error', 'close']) from.once(event, over)
    to.once('close', over)
  })
}

function finish(to: Writable | undefined): Promise<void> {
  if (to === undefined || to.destroyed || to.writableFinished) return Promise.resolve()
  return new Promise((resolve) => {
    to.once('close', resolve)
    to.end(() => resolve())
  })
}

/** Sizes are small JSON objects; anything else on that stream is not looked at. */
function followSizes(from: Readable, resize: (size: TerminalSize) => void): void {
  let text = ''
  from.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString('utf8')).slice(-4_096)
    const objects = text.match(/\{[^{}]*\}/g) ?? []
    text = text.slice(text.lastIndexOf('}') + 1)
    const size = parseSize(objects.at(-1))
    if (size !== undefined) resize(size)
  })
}

function parseSize(text: string | undefined): TerminalSize | undefined {
  if (text === undefined) return undefined
  const number = (name: string): number => Number(new RegExp(`"${name}"\\s*:\\s*(\\d{1,5})\\b`, 'i').exec(text)?.[1])
  const [columns, rows] = [number('width'), number('height')]
  const isSound = [columns, rows].every((each) => each > 0 && each <= 65_535)
  return isSound ? { columns, rows } : undefined
}
