import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SluiceError } from '../lib/error/sluice-error.ts'

/**
 * A folder of this user alone (mode 0700) below the system's for temporary files, always the same for a path that is too long for a socket.
 *
 * @throws SluiceError NODE_DRIVER when somebody else made it or may go in: who owns the folder could speak in the place of what listens there
 */
export function nearFolder(prefix: string, path: string): string {
  const folder = join(tmpdir(), `${prefix}-${createHash('sha256').update(path).digest('hex').slice(0, 16)}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const stats = lstatSync(folder)
  if (stats.isDirectory() && stats.uid === process.getuid?.() && (stats.mode & 0o077) === 0) return folder
  throw new SluiceError('NODE_DRIVER', `${folder} is to hold a socket, and is not a folder of this user alone`, {
    where: folder,
    hint: 'remove it, or choose a state folder with a shorter path',
  })
}
