import { join } from 'node:path'

/** Flags of a controller manager beside the peer's control plane of that folder, its own limit of requests raised: by default it sends 20 a second. */
export function controllerFlags(home: string): readonly string[] {
  return [
    `--kubeconfig=${join(home, 'kcm.kubeconfig')}`,
    `--service-account-private-key-file=${join(home, 'sa.key')}`,
    '--leader-elect=false',
    '--use-service-account-credentials=false',
    '--controllers=*',
    '--secure-port=0',
    '--kube-api-qps=2000',
    '--kube-api-burst=2000',
  ]
}
