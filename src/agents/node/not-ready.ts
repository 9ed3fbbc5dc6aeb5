import type { Clock } from '../../adapters/clock.ts'
import type { KubeClient } from '../../adapters/kube/types.ts'
import { type KubeObject, refOf } from '../../lib/kube/object.ts'
import { conditionOf, readList, readText } from '../../lib/kube/read.ts'

const TAINT = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }

/** Keeps new pods from a node: the scheduler looks at taints alone, and the controller of taints adds this one only once it has seen the condition. */
export async function keepPodsAway(client: KubeClient, node: KubeObject): Promise<void> {
  const taints = readList(node, 'spec', 'taints')
  if (taints.some((taint) => readText(taint, 'key') === TAINT.key && readText(taint, 'effect') === TAINT.effect)) return
  await client.patch(refOf(node), 'merge', { spec: { taints: [...taints, TAINT] } }, { fieldManager: 'sluice-node' })
}

/** A node on which nothing runs, and why. */
export type SilentNode = { readonly name: string; readonly why: string }

/**
 * Says of a node on which nothing runs, and of the pods that are bound to it, that they are not ready; the node lifecycle controller of
 * Kubernetes does so when a node falls silent. Else pods that ran before would count as healthy for ever. A node that starts again says anew.
 */
export async function markNotReady(client: KubeClient, clock: Clock, { name, why }: SilentNode): Promise<void> {
  const node = await client.get({ apiVersion: 'v1', kind: 'Node', namespace: '', name })
  const pods = await client.list({ apiVersion: 'v1', kind: 'Pod', fieldSelector: `spec.nodeName=${name}` })
  if (node !== undefined) await keepPodsAway(client, node)
  const isReady = (object: KubeObject): boolean => conditionOf(object, 'Ready')?.status === 'True'
  for (const object of [...(node ? [node] : []), ...pods.items].filter(isReady)) {
    const ready = {
      ...{ type: 'Ready', status: 'False', reason: 'NodeNotReady', message: why },
      lastTransitionTime: new Date(clock.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z'),
    }
    const others = readList(object, 'status', 'conditions').filter((one) => readText(one, 'type') !== 'Ready')
    const status = { conditions: [...others, ready] }
    await client.patch(refOf(object), 'merge', { status }, { fieldManager: 'sluice-node', subresource: 'status' })
  }
}
