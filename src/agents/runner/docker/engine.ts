import { execFile, spawn } from 'node:child_process'
import { createLineCutter } from '../../../lib/frames/line-cutter.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'

/** Who builds the images of jobs: ourselves, the first engine that works (`auto`), or the one that is named. */
export type BuilderWord = 'own' | 'auto' | 'docker' | 'podman' | 'buildah'

/** A container engine of this machine. */
export type Engine = { readonly name: 'docker' | 'podman' | 'buildah'; readonly version: string }

const BUILDERS: readonly BuilderWord[] = ['own', 'auto', 'docker', 'podman', 'buildah']

/** Runs a program and answers the version that it prints; undefined when it fails. */
type Ask = (name: string, args: readonly string[]) => Promise<string | undefined>

type Question = {
  readonly name: Engine['name']
  readonly version: readonly string[]
  readonly works?: readonly string[]
}

/** Cheap questions that only an engine at work answers: a docker without its daemon has a client's version, too. */
const QUESTIONS: readonly Question[] = [
  { name: 'docker', version: ['version', '--format', '{{.Server.Version}}'] },
  { name: 'podman', version: ['info', '--format', '{{.Version.Version}}'] },
  { name: 'buildah', version: ['version', '--json'], works: ['info'] },
]

const QUESTION_MS = 5_000

/** Characters; what is printed without line ends is told in pieces. */
const LONGEST_LINE = 65_536
/** Characters; of a longer output the end is kept, where an engine tells what came of it. */
const LONGEST_OUTPUT = 4_194_304

/** `own` where nothing is said. @throws SluiceError USAGE for what is no builder */
export function parseBuilder(text: string | undefined): BuilderWord {
  const found = BUILDERS.find((word) => word === (text || 'own'))
  if (found !== undefined) return found
  throw new SluiceError('USAGE', `"${text}" is no builder`, { hint: `use one of ${BUILDERS.join(', ')}` })
}

/**
 * Finds the engine that was asked for; undefined means that our own builder is used.
 *
 * @throws SluiceError STEP_UNSUPPORTED when one was named that does not work here
 */
export async function findEngine(word: BuilderWord, ask: Ask = askVersion): Promise<Engine | undefined> {
  if (word === 'own') return undefined
  for (const { name, version: words, works } of QUESTIONS) {
    if (word !== 'auto' && word !== name) continue
    const version = await ask(name, words)
    if (version !== undefined && (works === undefined || (await ask(name, works)) !== undefined))
      return { name, version }
  }
  if (word === 'auto') return undefined
  throw new SluiceError('STEP_UNSUPPORTED', `${word} does not work on this machine`, {
    hint: `see what "${word} info" says, or let images be built by the builder "own"`,
  })
}

function askVersion(name: string, ask: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) =>
    execFile(name, [...ask], { timeout: QUESTION_MS }, (error, stdout) =>
      resolve(error === null ? /\d+(\.\d+)+/.exec(stdout)?.[0] : undefined),
    ),
  )
}

/**
 * Runs a command of an engine to its end and tells its lines; answers its standard output, or the end of a very long one.
 *
 * @throws SluiceError STEP_FAILED with the last line that it said
 */
export function runEngine(
  engine: Engine,
  args: readonly string[],
  o: {
    readonly env: Readonly<Record<string, string | undefined>>
    readonly cwd?: string
    readonly log?: (line: string) => void
    readonly signal?: AbortSignal
  },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(engine.name, [...args], {
      env: { ...process.env, ...o.env },
      cwd: o.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(o.signal ? { signal: o.signal } : {}),
    })
    let output = ''
    let last = ''
    const say = (text: string): void => {
      const line = text.replace(/\r$/, '')
      if (line.trim() === '') return
      last = line
      o.log?.(line)
    }
    // each stream has lines of its own: a piece of the other in between would tear one
    const out = createLineCutter(say, LONGEST_LINE)
    const err = createLineCutter(say, LONGEST_LINE)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      // cut seldom, since a cut copies
      if (output.length > 2 * LONGEST_OUTPUT) output = output.slice(-LONGEST_OUTPUT)
      if (o.log) out.write(text)
    })
    child.stderr.setEncoding('utf8').on('data', err.write)
    child.once('error', (cause) =>
      reject(new SluiceError('STEP_FAILED', `${engine.name}: ${cause.message}`, { cause })),
    )
    child.once('close', (code) => {
      out.end()
      err.end()
      if (code === 0) return resolve(output)
      reject(new SluiceError('STEP_FAILED', `${engine.name} ${args[0] ?? ''}: ${last || `exit code ${code}`}`))
    })
  })
}
