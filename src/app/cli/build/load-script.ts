import { readFileSync } from 'node:fs'
import { Script } from 'node:vm'
import type { runBuild } from './build-alone.ts'

type Exports = { readonly runBuild?: typeof runBuild }
type Loaded = { readonly script: Script; readonly runBuild: typeof runBuild }

/** Fifteen times V8's own or more: only loops that are really hot are optimised (docs/adr/0055-one-shot-builds-stay-unoptimised.md). */
const isOldV8 = Number(process.versions.v8.split('.')[0]) < 12
const LATE_OPTIMISATION = isOldV8 ? '--interrupt-budget=1000000' : '--invocation-count-for-turbofan=45000'

/** What a build seldom needs, and what takes Node longer to load than a small tree to build. */
const SLOW_MODULES = new Set(['node:child_process', 'node:crypto', 'node:http', 'node:worker_threads', 'node:zlib'])

/**
 * Loads the bundled script of the command `build`, with V8's cache of it (the same name and `.cache`) where there is one that fits.
 *
 * V8 itself refuses a cache of another version of V8, another processor or other flags; then the script is compiled as any other.
 * @param require of the caller, for Node's own modules
 * @param isOneShot the process builds once and ends: it does not wait for optimised code
 */
export function loadScript(path: string, require: NodeJS.Require, isOneShot: boolean): Loaded {
  if (isOneShot) require('node:v8').setFlagsFromString(LATE_OPTIMISATION)
  const cachedData = isOneShot ? readCache(`${path}.cache`) : undefined
  const source = `(function(module,exports,require){${readFileSync(path, 'utf8')}\n})`
  const script = new Script(source, { filename: path, ...(cachedData ? { cachedData } : {}) })
  const module: { exports: Exports } = { exports: {} }
  const load = (name: string): object => (SLOW_MODULES.has(name) ? whenUsed(() => require(name)) : require(name))
  script.runInThisContext()(module, module.exports, load)
  const { runBuild } = module.exports
  if (runBuild === undefined) throw new Error(`${path} has no command`)
  return { script, runBuild }
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
