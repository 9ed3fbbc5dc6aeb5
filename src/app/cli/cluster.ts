import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { clientFromKubeconfig, type HttpKubeClient } from '../../adapters/kube/client.ts'
import { findAccess } from '../state/access.ts'
import type { Io } from './command.ts'

/** The options by which every command finds its cluster; spread into `parseArgs`. */
export const CLUSTER_OPTIONS = {
  kubeconfig: { type: 'string' },
  state: { type: 'string' },
  namespace: { type: 'string', short: 'n' },
} as const

/** The values that {@link CLUSTER_OPTIONS} leave behind. */
export type ClusterValues = { readonly kubeconfig?: string | undefined; readonly state?: string | undefined }

/** The folder of the running `sluice up`: --state, or `.sluice` here. */
export function stateDirOf(values: ClusterValues, io: Io): string {
  return resolve(io.cwd, values.state ?? '.sluice')
}

/**
 * The cluster that a command talks to: --kubeconfig, else what `sluice up` runs here, else KUBECONFIG, else ~/.kube/config.
 *
 * @throws SluiceError KUBE_CONFIG when none of them can be read
 */
export function clusterOf(values: ClusterValues, io: Io): HttpKubeClient {
  if (values.kubeconfig !== undefined) return clientFromKubeconfig(resolve(io.cwd, values.kubeconfig))
  const access = findAccess(stateDirOf(values, io))
  if (access !== undefined) return clientFromKubeconfig(access.kube.kubeconfig)
  return clientFromKubeconfig(io.env.KUBECONFIG ?? join(homedir(), '.kube', 'config'))
}
