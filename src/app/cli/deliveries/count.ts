import { SluiceError } from '../../../lib/error/sluice-error.ts'

/** The most that an option may ask for; the API answers no more. */
const MOST = 1_000

/**
 * Reads how many of something an option asks for.
 *
 * @throws SluiceError USAGE
 */
export function parseCount(option: string, text: string, { least = 1, most = MOST } = {}): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= least && count <= most) return count
  throw new SluiceError('USAGE', `${option} is a number from ${least} to ${most}, not "${text}"`)
}
