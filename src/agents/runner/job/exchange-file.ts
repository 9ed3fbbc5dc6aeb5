import { closeSync, constants, fstatSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hasCode } from '../../../lib/error/code-of.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'

const LARGEST_BYTES = 8 << 20

/**
 * Puts a file where a step finds it. What an earlier step left there goes: a pipe would be waited for, and a link lead elsewhere.
 *
 * @param mode of the new file
 */
export function putExchangeFile(path: string, text: string, mode = 0o666): void {
  rmSync(path, { force: true })
  writeFileSync(path, text, { mode, flag: 'wx' })
}

/** What a step wrote for the runner; '' when there is no such file any more, or something else than a file. @throws SluiceError STEP_LIMIT */
export function takeExchangeFile(path: string): string {
  const file = openPlain(path)
  if (file === undefined) return ''
  try {
    const found = fstatSync(file)
    if (!found.isFile()) return ''
    if (found.size > LARGEST_BYTES)
      throw new SluiceError('STEP_LIMIT', 'a file for the runner (GITHUB_OUTPUT and the like) is larger than 8 MiB')
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function openPlain(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ELOOP', 'ENXIO')) return undefined
    throw error
  }
}
