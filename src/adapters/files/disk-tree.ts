import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
} from 'node:fs'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { FileTree, TreeEntry } from '../../lib/kustomize/files/tree.ts'

const MAX_FILE_BYTES = 64 * 1024 * 1024

/**
 * The disk as a tree of files. Links are shown, never followed, so the reader decides where they may lead; devices, pipes and
 * sockets are never opened. A file that turns into something else between look and read is an error, not a hang.
 */
export function diskTree(): FileTree {
  return { stat: statEntry, readFile: readRegular, readDir: readFolder }
}

function statEntry(path: string): TreeEntry | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  if (found.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) }
  if (found.isDirectory()) return { kind: 'dir' }
  return found.isFile() ? { kind: 'file', sizeBytes: found.size } : { kind: 'other' }
}

function readRegular(path: string): Uint8Array {
  const handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    confirmPlace(handle, path)
    const found = fstatSync(handle)
    if (!found.isFile()) throw new SluiceError('KUSTOMIZE_PATH', `'${path}' is no regular file`)
    if (found.size > MAX_FILE_BYTES)
      throw new SluiceError('KUSTOMIZE_PATH', `file '${path}' has more than ${MAX_FILE_BYTES} bytes`)
    return readAll(handle, found.size)
  } finally {
    closeSync(handle)
  }
}

function readFolder(path: string): readonly string[] {
  const handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_DIRECTORY)
  try {
    confirmPlace(handle, path)
    return readdirSync(placeOf(handle) === undefined ? path : `/proc/self/fd/${handle}`)
  } finally {
    closeSync(handle)
  }
}

/**
 * What was opened must stand where it was looked for: a folder on the way may have become a link since its look. Asked of the open
 * file itself where the system tells (Linux), else of the path.
 */
function confirmPlace(handle: number, path: string): void {
  const actual = placeOf(handle) ?? realpathSync(path)
  if (actual === path) return
  throw new SluiceError('KUSTOMIZE_PATH', `'${path}' became a link to '${actual}' while it was read`, {
    retry: 'backoff',
    hint: 'build again when nothing else writes to the folder',
  })
}

function placeOf(handle: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${handle}`)
  } catch {
    return undefined
  }
}

function readAll(handle: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes)
  let at = 0
  while (at < sizeBytes) {
    const count = readSync(handle, bytes, at, sizeBytes - at, null)
    if (count === 0) return bytes.subarray(0, at)
    at += count
  }
  return bytes
}
