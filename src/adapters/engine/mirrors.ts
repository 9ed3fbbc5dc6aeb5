import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { GitRepository } from '../../kinds/git-repository.ts'
import { type Mirror, openMirror } from '../git/mirror.ts'
import type { EngineContext } from './context.ts'

/** Who reads a repository: the Secret that they log in with, and where it is. */
export type Reader = Pick<GitRepository, 'namespace' | 'secretName'>

/**
 * The mirror of a repository for one reader. Readers without a Secret share theirs, the others share with nobody: what one login has brought is
 * not for whoever knows a commit's hash.
 */
export type MirrorOf = (url: string, reader: Reader) => Mirror

/** The mirrors of one engine: a reader's only copy of a repository, whether it is read or written. They are closed behind the controllers that read them. */
export type Mirrors = { readonly of: MirrorOf; readonly close: () => void }

/** Where the mirrors are, of this naming: a folder is one reader's. Beside it lie those of a naming that gave one to all logins. */
const NAMING = 'by-reader'

const byContext = new WeakMap<EngineContext, Mirrors>()

/**
 * The mirrors of an engine, shared by its controllers: a commit that an automation makes needs no fetch by the source, and two git
 * processes never fetch into the same folder at once.
 */
export function mirrorsOf(context: EngineContext): Mirrors {
  const known = byContext.get(context)
  if (known) return known
  const root = openRoot(join(context.stateDir, 'mirrors'))
  const open = new Map<string, Mirror>()
  const mirrors: Mirrors = {
    of(url, { namespace, secretName }) {
      const name = secretName === undefined ? url : `${url} for ${namespace}/${secretName}`
      const mirror = open.get(name) ?? openMirror(root, name)
      open.set(name, mirror)
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

/** Mirrors are caches: what an older version left is removed, as nothing reads it any more and any login may have filled it. */
function openRoot(folder: string): string {
  const root = join(folder, NAMING)
  mkdirSync(root, { recursive: true })
  for (const name of readdirSync(folder))
    if (name !== NAMING) rmSync(join(folder, name), { recursive: true, force: true })
  return root
}
