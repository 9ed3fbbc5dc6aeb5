/** Go's words for what the operating system refused. */
const REASONS = new Map([
  ['ENOENT', 'no such file or directory'],
  ['EISDIR', 'is a directory'],
  ['ENOTDIR', 'not a directory'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'operation not permitted'],
  ['ENOSPC', 'no space left on device'],
  ['EROFS', 'read-only file system'],
  ['ELOOP', 'too many levels of symbolic links'],
  ['ENAMETOOLONG', 'file name too long'],
  ['ENXIO', 'no such device or address'],
])

/**
 * The text of a failed file operation as Go's programs print it: `open out/a.yaml: permission denied`.
 *
 * @returns undefined when the error is not the operating system's
 */
export function goFileError(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined
  const reason = REASONS.get(String(error.code))
  if (reason === undefined) return error.message
  return `${String(error.syscall)}${'path' in error ? ` ${String(error.path)}` : ''}: ${reason}`
}
