import type { WatchCache } from '../../../adapters/kube/types.ts'
import type { Controller } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { lookUp } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { revisedOwners } from '../history/owners.ts'
import { controllerOf, isSame, keyOf } from '../meta.ts'
import { as, type Node, type Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideDaemonSet, type DaemonSetSeen } from './decide.ts'
import { failureWaits } from './failures.ts'
import { nodeOf } from './placement.ts'
import type { DaemonSet } from './shapes.ts'

/** The DaemonSet controller: watches DaemonSets, nodes and pods; revisions once there is a DaemonSet. */
export function daemonSetController(bench: Bench): Controller<DaemonSetSeen, Write, readonly Write[]> {
  const owners = revisedOwners(bench, 'DaemonSet')
  const pods = bench.cache('v1', 'Pod')
  const nodes = bench.cache('v1', 'Node')
  const failures = failureWaits()

  return workloadController<DaemonSetSeen>(bench, {
    kind: 'DaemonSet',
    component: 'daemonset-controller',
    async watch(wake) {
      await Promise.all([owners.follow(wake.now), nodes.ready])
      pods.onChange((object, type) => {
        const pod = as<Pod>(object)
        const owner = controllerOf(pod)
        if (type !== 'DELETED' || owner?.kind !== 'DaemonSet' || pod.status?.phase !== 'Failed') return
        const set = lookUp<DaemonSet>(owners.cache, `${pod.metadata.namespace ?? ''}/${owner.name}`)
        if (set?.metadata.uid === owner.uid) failures.note(set, nodeOf(pod) ?? '', bench.clock.monotonicMs())
      })
      onPlacement(nodes, () => {
        for (const set of owners.cache.list()) wake.now(keyOf(set))
      })
    },
    async observe(key, failure) {
      const seen = await owners.observe(key)
      if (!seen) return undefined
      const { owner, ...found } = seen
      const set = as<DaemonSet>(owner)
      const monotonicMs = bench.clock.monotonicMs()
      return {
        set,
        nodes: nodes.list().map((node) => as<Node>(node)),
        ...found,
        waitOn: (nodeName) => failures.waitMs(set, nodeName, monotonicMs),
        ...(failure !== undefined && { failure }),
        nowMs: bench.clock.nowMs(),
      }
    },
    decide: decideDaemonSet,
  })
}

/** Calls back when a node comes, goes, or changes in what decides about pods: labels and taints. Heartbeats are passed over. */
function onPlacement(nodes: WatchCache, handler: () => void): void {
  const seen = new Map<string, readonly unknown[]>()
  const traits = (node: KubeObject): readonly unknown[] => [node.metadata.labels, as<Node>(node).spec?.taints]
  for (const node of nodes.list()) seen.set(node.metadata.name, traits(node))
  nodes.onChange((node, type) => {
    const before = seen.get(node.metadata.name)
    const after = traits(node)
    if (type === 'DELETED') seen.delete(node.metadata.name)
    else seen.set(node.metadata.name, after)
    if (type === 'DELETED' || !isSame(before, after)) handler()
  })
}
