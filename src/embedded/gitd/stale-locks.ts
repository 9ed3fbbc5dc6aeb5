import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Removes the locks that git left on the refs of a repository when it was killed together with this server (a container that ends, a machine that
 * runs out of memory); git would refuse every later push of such a ref. Only before anything is served.
 */
export function removeStaleRefLocks(path: string): void {
  const refs = readdirSync(join(path, 'refs'), { recursive: true }).map((name) => join('refs', String(name)))
  for (const name of ['packed-refs.lock', 'HEAD.lock', ...refs.filter((ref) => ref.endsWith('.lock'))])
    rmSync(join(path, name), { force: true })
}
