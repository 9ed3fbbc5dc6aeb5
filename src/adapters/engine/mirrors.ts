import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Mirror, openMirror } from '../git/mirror.ts'
import type { EngineContext } from './context.ts'

/** The mirrors of one engine: a repository's only copy, whoever reads or writes it. */
export type Mirrors = { readonly of: (url: string) => Mirror; readonly close: () => void }

const byContext = new WeakMap<EngineContext, Mirrors>()

/**
 * The mirrors of an engine, shared by its controllers: a commit that an automation makes needs no fetch by the source, and two git
 * processes never fetch into the same folder at once. `close` may be called more than once.
 */
export function mirrorsOf(context: EngineContext): Mirrors {
  const known = byContext.get(context)
  if (known) return known
  const root = join(context.stateDir, 'mirrors')
  mkdirSync(root, { recursive: true })
  const open = new Map<string, Mirror>()
  const mirrors: Mirrors = {
    of(url) {
      const mirror = open.get(url) ?? openMirror(root, url)
      open.set(url, mirror)
      return mirror
    },
    close() {
      for (const mirror of open.values()) mirror.close()
      open.clear()
    },
  }
  byContext.set(context, mirrors)
  return mirrors
}
