import {
  closeSync,
  constants,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { hasCode } from '../../../../lib/error/code-of.ts'
import { safePath } from '../../../../lib/tar/entry.ts'
import { refused } from './volume-fault.ts'

/** @returns the path without what is of no meaning in it. @throws SluiceError POD_VOLUME when it leads out of a volume */
export function innerPath(inner: string, volume: string): string {
  const safe = inner.startsWith('/') ? undefined : safePath(inner)
  if (safe === undefined) throw refused(volume, `subPath "${inner}" leaves the volume`)
  return safe
}

/** What is at `inner` of a volume, or a folder that is made there for whoever may use the volume. @throws SluiceError POD_VOLUME */
export function subPathOf(root: string, inner: string, volume: string): string {
  const safe = innerPath(inner, volume)
  const home = realpathSync(root)
  const { mode } = statSync(home)
  let real = home
  // step by step: nothing is made behind a link before it is known where that leads
  for (const part of safe.split('/')) {
    const next = join(real, part)
    if (!lstatSync(next, { throwIfNoEntry: false })) makeIn(real, part, mode)
    real = realpathSync(next)
    if (real !== home && !real.startsWith(join(home, '/')))
      throw refused(volume, `subPath "${inner}" is a symlink out of the volume`)
  }
  return real
}

/**
 * Makes a folder in one that is held open meanwhile: a program of the pod may put a link in its place. It has a mode that no umask takes from; what
 * somebody has put there in the same moment keeps its own.
 */
export function makeIn(parent: string, name: string, mode: number): void {
  const held = openSync(parent, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    const isLinux = process.platform === 'linux'
    const at = isLinux ? `/proc/self/fd/${held}` : parent
    if (isLinux && readlinkSync(at) !== parent) throw new Error(`${parent} is not where it was`)
    mkdirSync(join(at, name))
    chmodFolder(join(at, name), mode & 0o6777)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    closeSync(held)
  }
}

function chmodFolder(path: string, mode: number): void {
  const folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    fchmodSync(folder, mode)
  } finally {
    closeSync(folder)
  }
}
