/** What an entry of a tar archive is. */
export type TarType = 'file' | 'directory' | 'symlink' | 'link' | 'character' | 'block' | 'fifo'

/** The header of an entry; times are whole seconds since the epoch. */
export type TarHeader = {
  /** As written in the archive; `safePath` before it is used as a path. */
  readonly path: string
  readonly type: TarType
  /** Permission bits with set-uid, set-gid and sticky: `0o7777` at most. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
  readonly mtimeSeconds: number
  /** Where a symbolic or hard link leads; empty for everything else. */
  readonly linkPath: string
}

/**
 * The path of an entry below the folder it is unpacked to: no leading `/` or `./`, no `//`, no trailing `/`; `` is the folder itself.
 *
 * @returns undefined when it would leave the folder (`..`) or holds a NUL
 */
export function safePath(path: string): string | undefined {
  if (path.includes('\0')) return undefined
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  return parts.includes('..') ? undefined : parts.join('/')
}
