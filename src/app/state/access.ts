import { join } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { readAllowed } from './state-folder.ts'

/** What `sluice up` writes to `access.json`: how to reach everything it runs. Stable; scripts rely on it. */
export type Access = {
  readonly git: { readonly url: string; readonly token: string }
  readonly registry: { readonly url: string }
  readonly kube: { readonly server: string; readonly kubeconfig: string; readonly token: string }
  readonly page: { readonly url: string }
  /** Before the path that a Receiver shows in its status; an older file does not say. */
  readonly receivers?: { readonly url: string }
  readonly services: readonly { readonly name: string; readonly namespace: string; readonly url: string }[]
}

/** The file's name inside the state folder. */
export const ACCESS_FILE = 'access.json'

/**
 * Reads the access file of a running `sluice up`.
 *
 * @throws SluiceError NOT_RUNNING when there is none, STATE_UNREADABLE
 */
export function readAccess(stateDir: string): Access {
  const access = findAccess(stateDir)
  if (access !== undefined) return access
  throw new SluiceError('NOT_RUNNING', `no sluice runs on the state folder ${stateDir}`, {
    where: join(stateDir, ACCESS_FILE),
    hint: 'start it with: sluice up   or name its folder with --state',
  })
}

/** As {@link readAccess}, `undefined` when nothing runs there. @throws SluiceError STATE_UNREADABLE */
export function findAccess(stateDir: string): Access | undefined {
  const value = readAllowed(join(stateDir, ACCESS_FILE))
  return isAccess(value) ? value : undefined
}

function isAccess(value: unknown): value is Access {
  if (typeof value !== 'object' || value === null) return false
  return ['git', 'registry', 'kube', 'page', 'services'].every((key) => key in value)
}
