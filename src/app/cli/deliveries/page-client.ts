import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { abortAfter } from '../../../machine/timers.ts'
import { type Access, readAccess } from '../../state/access.ts'
import { type ClusterValues, stateDirOf } from '../cluster.ts'
import type { Io } from '../command.ts'

/**
 * Asks the running `sluice up` for a part of its record.
 *
 * @throws SluiceError NOT_RUNNING when none runs on the state folder
 */
export async function fetchRecord<T>(path: string, values: ClusterValues, io: Io): Promise<T> {
  const access = readAccess(stateDirOf(values, io))
  return (await ask(new URL(path, access.page.url), {})).json()
}

/**
 * Asks the running `sluice up` to do something, in the name of a user.
 *
 * @throws SluiceError as {@link fetchRecord}
 */
export async function postRecord<T>(
  path: string,
  { access, user }: { readonly access: Access; readonly user: string },
): Promise<T> {
  const authorization = `Basic ${Buffer.from(`${user}:${access.git.token}`).toString('base64')}`
  return (await ask(new URL(path, access.page.url), { method: 'POST', headers: { authorization } })).json()
}

async function ask(url: URL, init: RequestInit): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url, { ...init, signal: abortAfter(30_000) })
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
  if (response.ok) return response
  throw new SluiceError('REQUEST_REFUSED', await detailOf(response), { where: url.href })
}

/** What a refusal says of itself. */
async function detailOf(response: Response): Promise<string> {
  const text = await response.text()
  try {
    const { detail }: { detail?: unknown } = JSON.parse(text)
    if (typeof detail === 'string') return detail
  } catch {
    // not from us: said as it came
  }
  return `answered ${response.status}: ${text.slice(0, 200)}`
}
