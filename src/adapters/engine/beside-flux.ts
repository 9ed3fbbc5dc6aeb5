import type { KubeObject } from '../../lib/kube/object.ts'
import { read } from '../../lib/kube/read.ts'
import { isFluxController } from '../../pipeline/apply/flux-itself.ts'
import { ApiError } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/types.ts'

/** Says which of Flux's own controllers run in the cluster: they and the engine would work on the same objects. Looked for once, at the start. */
export async function warnOfFlux(client: KubeClient, log: (line: string) => void): Promise<void> {
  const found = (await fluxDeployments(client)) ?? []
  const running = found.filter((object) => isFluxController(object) && isRunning(object))
  for (const namespace of new Set(running.map(({ metadata }) => metadata.namespace))) {
    const names = running
      .filter(({ metadata }) => metadata.namespace === namespace)
      .map(({ metadata }) => metadata.name)
    log(
      `! Flux runs in ${namespace} and works on the same objects (${names.join(', ')}); hint: kubectl -n ${namespace} scale deployment ${names.join(' ')} --replicas=0`,
    )
  }
}

/** Whether a controller of Flux runs in the cluster; assumed where that may not be seen. */
export async function runsInCluster(client: KubeClient, name: string): Promise<boolean> {
  const found = await fluxDeployments(client)
  return found === undefined || found.some((object) => object.metadata.name === name && isRunning(object))
}

function isRunning(object: KubeObject): boolean {
  return Number(read(object, 'status', 'readyReplicas') ?? 0) > 0
}

/** Undefined: an engine may do all its work without the right to list them. */
async function fluxDeployments(client: KubeClient): Promise<readonly KubeObject[] | undefined> {
  const labelSelector = 'app.kubernetes.io/part-of=flux'
  try {
    return (await client.list({ apiVersion: 'apps/v1', kind: 'Deployment', labelSelector })).items
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined
    throw error
  }
}
