import { read } from '../../lib/kube/read.ts'
import { isFluxController } from '../../pipeline/apply/flux-itself.ts'
import { ApiError } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/types.ts'

/** Says which of Flux's own controllers run in the cluster: they and the engine would work on the same objects. Looked for once, at the start. */
export async function warnOfFlux(client: KubeClient, log: (line: string) => void): Promise<void> {
  const running = (await fluxDeployments(client)).filter(
    (object) => isFluxController(object) && Number(read(object, 'status', 'readyReplicas') ?? 0) > 0,
  )
  for (const namespace of new Set(running.map(({ metadata }) => metadata.namespace))) {
    const names = running
      .filter(({ metadata }) => metadata.namespace === namespace)
      .map(({ metadata }) => metadata.name)
    log(
      `! Flux runs in ${namespace} and works on the same objects (${names.join(', ')}); hint: kubectl -n ${namespace} scale deployment ${names.join(' ')} --replicas=0`,
    )
  }
}

async function fluxDeployments(client: KubeClient) {
  const labelSelector = 'app.kubernetes.io/part-of=flux'
  try {
    return (await client.list({ apiVersion: 'apps/v1', kind: 'Deployment', labelSelector })).items
  } catch (error) {
    // an engine may do all its work without the right to list them
    if (error instanceof ApiError && error.status === 403) return []
    throw error
  }
}
