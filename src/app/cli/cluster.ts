import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { clientFromKubeconfig, type HttpKubeClient } from '../../adapters/kube/client.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { findAccess, readAccess } from '../state/access.ts'
import type { ExitCode, Io } from './command.ts'

/** Where the record of a running `sluice up` is found. */
export const STATE_OPTION = { state: { type: 'string' } } as const

/** The options by which every command finds its cluster; spread into `parseArgs`, as those below. */
export const CLUSTER_OPTIONS = {
  ...STATE_OPTION,
  kubeconfig: { type: 'string' },
  namespace: { type: 'string', short: 'n' },
} as const

/** {@link CLUSTER_OPTIONS} as usage lines say them. */
export const CLUSTER_USAGE = '[-n NAMESPACE] [--state DIR | --kubeconfig FILE]'

/** What commands that list may be asked besides. */
export const LIST_OPTIONS = { ...CLUSTER_OPTIONS, 'all-namespaces': { type: 'boolean', short: 'A' } } as const

/** {@link LIST_OPTIONS} as usage lines say them. */
export const LIST_USAGE = '[-n NAMESPACE | -A] [--state DIR | --kubeconfig FILE]'

export const WATCH_OPTION = { watch: { type: 'boolean', short: 'w' } } as const

/** The form of the answer, and the usual one. */
export const outputOption = <Usual extends string>(usual: Usual) =>
  ({ output: { type: 'string', short: 'o', default: usual } }) as const

/** The values that {@link CLUSTER_OPTIONS} leave behind. */
export type ClusterValues = { readonly kubeconfig?: string | undefined; readonly state?: string | undefined }

/** Where the state is when nothing names a folder for it. */
export const USUAL_STATE = '.sluice'

/**
 * The state folder: `--state`, else what the variable `SLUICE_STATE` says, else `.sluice` here.
 *
 * @throws SluiceError USAGE
 */
export function stateDirOf(values: ClusterValues, io: Io): string {
  return resolve(io.cwd, stateWordOf(values, io))
}

/** As {@link stateDirOf}, as it was written. */
export function stateWordOf({ state }: ClusterValues, { env }: Io): string {
  // A variable of a script that is not set: its state would be strewn over the folder that the script happens to stand in.
  if (state === '') throw new SluiceError('USAGE', '--state wants a folder, and was given an empty text')
  return state ?? (env['SLUICE_STATE'] || USUAL_STATE)
}

/**
 * Does something with the cluster that a command talks to (--kubeconfig, else what `sluice up` runs here, else KUBECONFIG, else
 * ~/.kube/config), and lets it go.
 *
 * @throws SluiceError KUBE_CONFIG when none of them can be read, NOT_RUNNING when there is none
 */
export async function withCluster(
  values: ClusterValues,
  io: Io,
  work: (client: HttpKubeClient) => Promise<ExitCode>,
): Promise<ExitCode> {
  const client = clusterOf(values, io)
  try {
    return await work(client)
  } finally {
    client.close()
  }
}

function clusterOf(values: ClusterValues, io: Io): HttpKubeClient {
  if (values.kubeconfig !== undefined) return clientFromKubeconfig(resolve(io.cwd, values.kubeconfig))
  const access = findAccess(stateDirOf(values, io))
  if (access !== undefined) return clientFromKubeconfig(access.kube.kubeconfig)
  const usual = join(homedir(), '.kube', 'config')
  // who has no cluster of his own meant the one of sluice up
  if (io.env.KUBECONFIG === undefined && !existsSync(usual)) readAccess(stateDirOf(values, io))
  return clientFromKubeconfig(io.env.KUBECONFIG ?? usual)
}
