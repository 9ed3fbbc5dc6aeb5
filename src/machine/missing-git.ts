import { SluiceError } from '../lib/error/sluice-error.ts'

/** What kept git from being started, told so that a person can help where it is not on this machine. */
export function toldMissing(error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ENOENT' || error.syscall !== 'spawn git') return error
  return new SluiceError('GIT_MISSING', 'there is no git command on this machine', {
    retry: 'backoff',
    where: `PATH=${process.env['PATH'] ?? ''}`,
    hint: 'install git, or put its folder into PATH',
    cause: error,
  })
}
