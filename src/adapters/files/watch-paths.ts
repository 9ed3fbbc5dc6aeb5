import { watch, type FSWatcher } from 'node:fs'
import { dirname, basename } from 'node:path'
import { codeOf } from '../../lib/error/code-of.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'

/** A set of paths being watched, whether something stands there or not. */
export type PathWatch = {
  /** Whether the watch is of this very set. */
  readonly isOf: (paths: ReadonlySet<string>) => boolean
  /** Resolves once a path has changed since the watch began or since the last call, and nothing more happens for a while; or when aborted. */
  readonly changed: (signal: AbortSignal) => Promise<void>
  readonly close: () => void
}

/** Errors that only mean that a folder is not there, or not for us to see: its parent tells when that changes. */
const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'])

/**
 * Watches paths through their folders, so that a file that is replaced, appears or goes is seen, too.
 *
 * @param paths absolute, with all the folders above them whose replacement counts
 * @param quietMs how long nothing may happen before a change is told
 * @throws SluiceError WATCH_REFUSED when the system has no watch left
 */
export function watchPaths(paths: ReadonlySet<string>, quietMs: number): PathWatch {
  const names = namesByFolder(paths)
  const watchers: FSWatcher[] = []
  let hasChanged = false
  let notify = (): void => {}
  const onEvent = (wanted: ReadonlySet<string>, name: string | null): void => {
    if (name !== null && !wanted.has(name)) return
    hasChanged = true
    notify()
  }
  for (const [folder, wanted] of names) {
    const watcher = watchFolder(folder, (name) => onEvent(wanted, name))
    if (watcher) watchers.push(watcher)
  }
  return {
    isOf: (others) => others.size === paths.size && [...others].every((path) => paths.has(path)),
    changed: async (signal) => {
      if (!hasChanged) await once((resolve) => (notify = resolve), signal)
      while (hasChanged && !signal.aborted) {
        hasChanged = false
        await quiet(quietMs, signal)
      }
    },
    close: () => {
      for (const watcher of watchers) watcher.close()
    },
  }
}

function namesByFolder(paths: Iterable<string>): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>()
  for (const path of paths) {
    const folder = dirname(path)
    if (folder === path) continue
    const known = names.get(folder) ?? new Set<string>()
    names.set(folder, known.add(basename(path)))
  }
  return names
}

function watchFolder(folder: string, onEvent: (name: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: true }, (_, name) => onEvent(name))
    watcher.on('error', () => onEvent(null))
    return watcher
  } catch (error) {
    const code = codeOf(error)
    if (NOT_THERE.has(code)) return undefined
    throw new SluiceError('WATCH_REFUSED', `folder '${folder}' cannot be watched: ${code}`, {
      cause: error,
      hint: 'raise fs.inotify.max_user_watches and fs.inotify.max_user_instances',
    })
  }
}

function quiet(ms: number, signal: AbortSignal): Promise<void> {
  return once((resolve) => setTimeout(resolve, ms), signal)
}

function once(start: (resolve: () => void) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      signal.removeEventListener('abort', finish)
      resolve()
    }
    signal.addEventListener('abort', finish)
    if (signal.aborted) finish()
    else start(finish)
  })
}
