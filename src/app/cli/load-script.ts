import { readFileSync } from 'node:fs'
import { Script } from 'node:vm'
import type { ExitCode, Io } from './command.ts'

/** Runs one command line. */
export type RunAlone = (argv: readonly string[], io: Io) => Promise<ExitCode>

type Loaded = { readonly script: Script; readonly runAlone: RunAlone }

/** How a script is loaded. */
export type Loading = {
  /** Take V8's cache of it, which was made under the flags that V8 has now. */
  readonly isCached: boolean
  /** Modules of Node that wait until one of their names is first read. */
  readonly late?: ReadonlySet<string>
}

/** Fifteen times V8's own or more: only loops that are really hot are optimised (docs/adr/0055-one-shot-builds-stay-unoptimised.md). */
const isOldV8 = Number(process.versions.v8.split('.')[0]) < 12
const LATE_OPTIMISATION = isOldV8 ? '--interrupt-budget=1000000' : '--invocation-count-for-turbofan=45000'

/** What a build seldom needs, and what takes Node longer to load than a small tree to build. */
export const SLOW_MODULES = new Set([
  'node:child_process',
  'node:crypto',
  'node:http',
  'node:worker_threads',
  'node:zlib',
])

/** For a process that builds once and ends: it does not wait for optimised code. */
export function optimiseLate(require: NodeJS.Require): void {
  require('node:v8').setFlagsFromString(LATE_OPTIMISATION)
}

/**
 * Where V8's cache of a script lies, beside it; named for the release of Node as well, as `scripts/build.mjs` names it.
 *
 * V8 takes a cache of any V8 with the same four numbers. The releases of Node 20 share those of theirs, and differ in what the compiled code
 * means: 20.19.0 crashes on the code of 20.20.2.
 */
export function cachePathOf(path: string): string {
  return `${path}.${process.version}-${process.arch}.cache`
}

/**
 * Loads a bundled script, a function of `module`, `exports` and `require` in ASCII, with V8's cache of it where there is one that fits.
 *
 * V8 itself refuses a cache of another source or of other flags; then, and where there is none, the script is compiled as any other.
 * @param require of the caller, for Node's own modules
 */
export function loadScript(path: string, require: NodeJS.Require, { isCached, late = new Set() }: Loading): Loaded {
  const cachedData = isCached ? readCache(cachePathOf(path)) : undefined
  const script = new Script(readFileSync(path, 'latin1'), { filename: path, ...(cachedData ? { cachedData } : {}) })
  const module: { exports: { readonly runAlone?: RunAlone } } = { exports: {} }
  const load = (name: string): object => (late.has(name) ? whenUsed(() => require(name)) : require(name))
  script.runInThisContext()(module, module.exports, load)
  const { runAlone } = module.exports
  if (runAlone === undefined) throw new Error(`${path} has no command`)
  return { script, runAlone }
}

function readCache(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** A module that is loaded when the first of its names is read. */
function whenUsed(load: () => object): object {
  return new Proxy({}, { get: (_, name) => Reflect.get(load(), name) })
}
