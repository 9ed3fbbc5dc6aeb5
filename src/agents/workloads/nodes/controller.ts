import type { Controller } from '../../../engine/controller.ts'
import type { Bench } from '../bench.ts'
import { lookUp, wakeFor } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { keyOf } from '../meta.ts'
import { podsByNode } from '../pods-by-node.ts'
import { as, type Node, type Pod, type Taint } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideRegistration, decideTaints, type NodeSeen, type TaintsSeen } from './decide.ts'
import { decideEviction, type SparedPod, type TaintedPod, toleratedMs } from './evict.ts'

/** Says of each node once that it is known, and for how long what it reads from the server may be kept: in a cluster of fewer than a hundred nodes, not at all. */
export function nodeRegistry(bench: Bench): Controller<NodeSeen, Write, readonly Write[]> {
  const nodes = bench.cache('v1', 'Node')
  const known = new Map<string, string | undefined>()
  return workloadController<NodeSeen>(bench, {
    kind: 'node-registry',
    component: 'node-controller',
    async watch(wake) {
      await nodes.ready
      wakeFor(nodes, wake.now)
    },
    observe(name) {
      const node = lookUp<Node>(nodes, name)
      const uid = known.get(name)
      if (!node) return known.delete(name) ? { gone: { name, uid } } : undefined
      const isNew = known.get(name) !== node.metadata.uid
      known.set(name, node.metadata.uid)
      return { node, isNew }
    },
    decide: decideRegistration,
  })
}

/** Keeps the taints of nodes in step with their conditions. */
export function nodeTaintController(bench: Bench): Controller<TaintsSeen, Write, readonly Write[]> {
  const nodes = bench.cache('v1', 'Node')
  return workloadController<TaintsSeen>(bench, {
    kind: 'Node',
    component: 'node-controller',
    async watch(wake) {
      await nodes.ready
      wakeFor(nodes, wake.now)
    },
    observe(name) {
      const node = lookUp<Node>(nodes, name)
      return node && { node, nowMs: bench.clock.nowMs() }
    },
    decide: decideTaints,
  })
}

/** Deletes the pods that do not tolerate a taint of their node with the effect `NoExecute`. */
export function taintEvictionController(bench: Bench): Controller<TaintedPod | SparedPod, Write, readonly Write[]> {
  const nodes = bench.cache('v1', 'Node')
  const pods = bench.cache('v1', 'Pod')
  const taintedSince = new Map<string, number>()
  /** Those that may stay for a while, and whose time is not up. */
  const waiting = new Map<string, Pod>()
  const shown = new Map<string, string>()
  const taintsOn = (nodeName: string | undefined): readonly Taint[] => {
    const node = nodeName ? nodes.get('', nodeName) : undefined
    return node ? (as<Node>(node).spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute') : []
  }
  return workloadController<TaintedPod | SparedPod>(bench, {
    kind: 'taint-eviction',
    component: 'taint-eviction-controller',
    async watch(wake) {
      await Promise.all([nodes.ready, pods.ready])
      const podsOn = podsByNode(pods)
      const look = ({ metadata: { name } }: { readonly metadata: { readonly name: string } }): void => {
        const taints = JSON.stringify(taintsOn(name))
        if ((shown.get(name) ?? '[]') === taints) return
        shown.set(name, taints)
        for (const pod of podsOn(name)) wake.now(keyOf(pod))
      }
      nodes.onChange(look)
      pods.onChange((pod) => {
        if (taintedSince.has(keyOf(pod)) || taintsOn(as<Pod>(pod).spec.nodeName).length > 0) wake.now(keyOf(pod))
      })
      nodes.list().forEach(look)
    },
    observe(key) {
      const pod = lookUp<Pod>(pods, key)
      const taints = taintsOn(pod?.spec.nodeName)
      if (!pod || taints.length === 0) {
        taintedSince.delete(key)
        const spared = waiting.get(key)
        return waiting.delete(key) && spared !== undefined ? { spared } : undefined
      }
      const [nowMs, monotonicMs] = [bench.clock.nowMs(), bench.clock.monotonicMs()]
      const taintedMs = taintedSince.get(key) ?? monotonicMs
      taintedSince.set(key, taintedMs)
      const sinceMs = nowMs - (monotonicMs - taintedMs)
      const graceMs = toleratedMs(pod.spec.tolerations ?? [], taints)
      if (graceMs !== Infinity && sinceMs + graceMs > nowMs) waiting.set(key, pod)
      else waiting.delete(key)
      return { pod, taints, sinceMs, nowMs }
    },
    decide: decideEviction,
  })
}
