import type { Controller } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { lookUp } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { keyOf } from '../meta.ts'
import { podsByNode } from '../pods-by-node.ts'
import { as, type Node, type Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decidePodGarbage, isGivenUp, isOutOfService, type PodGarbageSeen } from './decide.ts'
import { endedPods } from './ended.ts'

/** kube-controller-manager's `--terminated-pod-gc-threshold`, and how often it looks. */
const MOST_ENDED = 12_500
const COUNT_EVERY_MS = 20_000

/** The pod garbage collector: woken by pods that leave, by nodes that go, and by the number of pods that have ended. */
export function podGarbageCollector(bench: Bench): Controller<PodGarbageSeen, Write, readonly Write[]> {
  const pods = bench.cache('v1', 'Pod')
  const nodes = bench.cache('v1', 'Node')
  const missingSince = new Map<string, number>()
  const ended = endedPods()
  let surplus: ReadonlySet<string> = new Set()
  let isCounting = false
  const nodeNamed = (name = ''): Node | undefined => lookUp<Node>(nodes, name)
  return workloadController<PodGarbageSeen>(bench, {
    kind: 'pod-garbage',
    component: 'pod-garbage-collector',
    async watch(wake) {
      await Promise.all([pods.ready, nodes.ready])
      const podsOn = podsByNode(pods)
      const count = (): void => {
        isCounting = false
        surplus = ended.beyond(MOST_ENDED)
        surplus.forEach((key) => wake.now(key))
      }
      const look = (object: KubeObject, type: 'ADDED' | 'MODIFIED' | 'DELETED'): void => {
        const pod = as<Pod>(object)
        ended.take(pod, type === 'DELETED')
        if (ended.count() > MOST_ENDED && !isCounting) {
          isCounting = true
          bench.clock.after(COUNT_EVERY_MS, count)
        }
        if (type !== 'DELETED' && isDoubtful(pod, nodeNamed(pod.spec.nodeName))) wake.now(keyOf(pod))
      }
      pods.onChange(look)
      nodes.onChange((node, type) => {
        const { name } = node.metadata
        if (type === 'DELETED') missingSince.set(name, bench.clock.monotonicMs())
        else missingSince.delete(name)
        if (type === 'DELETED' || isOutOfService(as<Node>(node))) for (const pod of podsOn(name)) wake.now(keyOf(pod))
      })
      for (const pod of pods.list()) look(pod, 'ADDED')
    },
    async observe(key) {
      const pod = lookUp<Pod>(pods, key)
      if (!pod) return undefined
      const { nodeName = '' } = pod.spec
      const [nowMs, monotonicMs] = [bench.clock.nowMs(), bench.clock.monotonicMs()]
      const node = nodeNamed(nodeName)
      const isMissing = nodeName !== '' && node === undefined
      if (isMissing && !missingSince.has(nodeName)) missingSince.set(nodeName, monotonicMs)
      const sinceMs = missingSince.get(nodeName)
      const missingSinceMs = sinceMs === undefined ? undefined : nowMs - (monotonicMs - sinceMs)
      const seen = { pod, node, missingSinceMs, isSurplus: surplus.has(key), nowMs }
      if (!isMissing || !isGivenUp(seen)) return seen
      // the copy of the nodes may be behind: before pods are ended for good, the server is asked
      const live = await bench.client.get({ apiVersion: 'v1', kind: 'Node', namespace: '', name: nodeName })
      if (live === undefined) return seen
      missingSince.set(nodeName, monotonicMs)
      return { ...seen, missingSinceMs: nowMs }
    },
    decide: decidePodGarbage,
  })
}

/** Whether it is worth a look at the pod: most pods have their node, and stay. */
function isDoubtful({ metadata, spec }: Pod, node: Node | undefined): boolean {
  if (metadata.deletionTimestamp === undefined) return Boolean(spec.nodeName) && node === undefined
  return node === undefined || isOutOfService(node)
}
