import { SluiceError } from '../../lib/error/sluice-error.ts'
import { readAccess } from '../state/access.ts'
import { type ClusterValues, stateDirOf } from './cluster.ts'
import type { Io } from './command.ts'

/**
 * Asks the running `sluice up` for a part of its record.
 *
 * @throws SluiceError NOT_RUNNING when none runs on the state folder
 */
export async function fetchRecord<T>(path: string, values: ClusterValues, io: Io): Promise<T> {
  const access = readAccess(stateDirOf(values, io))
  const url = new URL(path, access.page.url)
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(30_000) })
    if (!response.ok) throw new Error(`${url.href} answered ${response.status}: ${await response.text()}`)
    return await response.json()
  } catch (error) {
    throw new SluiceError(
      'NOT_RUNNING',
      `sluice does not answer: ${error instanceof Error ? error.message : String(error)}`,
      {
        retry: 'backoff',
        where: url.href,
        hint: 'start it with: sluice up   or name its folder with --state',
        cause: error,
      },
    )
  }
}
