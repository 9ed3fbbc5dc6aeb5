/** Characters that macOS leaves out of file names: `.g\u200cit` is `.git` there. */
const IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

/**
 * Whether a path of a Git tree may be offered: no `..`, and nothing that some file system takes for `.git`.
 *
 * Git itself refuses such paths at checkout; a crafted tree may still hold them, and who unpacks the artifact may run elsewhere.
 */
export function isSafePath(path: string): boolean {
  return !path.includes('\0') && path.split('/').every((part) => !isDangerous(part))
}

function isDangerous(part: string): boolean {
  if (part === '' || part === '.' || part === '..') return true
  const plain = part.replace(IGNORED, '').toLowerCase()
  // NTFS: trailing dots and spaces do not count, `git~1` is the short name of `.git`, `:` begins a stream.
  return (
    /^(?:\.git|git~\d+)[ .]*(?::.*)?$/.test(plain) ||
    /(?:^|\\)\.\.(?:\\|$)/.test(plain) ||
    /(?:^|\\)\.git(?:\\|$)/.test(plain)
  )
}

/** `./a/b/` -> `a/b`; `..` at the start goes nowhere: a path that cannot leave the folder it is joined to. */
export function cleanPath(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}
