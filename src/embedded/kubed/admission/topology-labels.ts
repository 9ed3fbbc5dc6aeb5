import { stringOf } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import { type Obj, specOf } from '../object.ts'

const COPIED = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

/**
 * The labels of a node that pods on it get: where in the world they are.
 *
 * @see k8s.io/kubernetes/plugin/pkg/admission/podtopologylabels
 */
export function topologyLabels({ store, disabledPlugins }: Environment, nodeName: string): Record<string, string> {
  if (nodeName === '' || disabledPlugins.has('PodTopologyLabels')) return {}
  const labels = store.get('/nodes', '', nodeName)?.metadata.labels ?? {}
  return Object.fromEntries(
    COPIED.flatMap((key) => {
      const value = labels[key]
      return typeof value === 'string' ? [[key, value] as const] : []
    }),
  )
}

/** Gives a pod that names its node what the node says of its place. In place. */
export function labelByTopology(env: Environment, pod: Obj): void {
  const labels = topologyLabels(env, stringOf(specOf(pod).nodeName))
  if (Object.keys(labels).length > 0) pod.metadata.labels = { ...pod.metadata.labels, ...labels }
}
