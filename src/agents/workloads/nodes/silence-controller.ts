import type { WatchCache } from '../../../adapters/kube/types.ts'
import type { Controller } from '../../../engine/controller.ts'
import { readText } from '../../../lib/kube/read.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { groupBy } from '../../../lib/value/group-by.ts'
import type { Bench } from '../bench.ts'
import { workloadController } from '../controller.ts'
import type { NameIndex } from '../index-by.ts'
import { conditionOf, timeMs } from '../meta.ts'
import { podsByNode } from '../pods-by-node.ts'
import { as, type Node, type Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideSilence, type SilenceSeen, type ZoneState, zoneStateOf } from './silence.ts'

const LEASES = 'kube-node-lease'
/** A node with this label does not count when a zone is judged. */
const EXCLUDED = 'node.kubernetes.io/exclude-disruption'

/** Watches the heartbeats of nodes: their Leases, and what their kubelets write of them. */
export function nodeSilenceController(bench: Bench): Controller<SilenceSeen, Write, readonly Write[]> {
  const nodes = bench.cache('v1', 'Node')
  const pods = bench.cache('v1', 'Pod')
  const leases = bench.cacheOf({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    fieldSelector: `metadata.namespace=${LEASES}`,
  })
  const signs = signsOfLife(bench, leases)
  let podsOn: NameIndex = () => []
  /** Of all nodes as they are now; each of them asks for it. */
  let zones: ReadonlyMap<string, ZoneState> | undefined
  return workloadController<SilenceSeen>(bench, {
    kind: 'node-silence',
    component: 'node-controller',
    async watch(wake) {
      await Promise.all([nodes.ready, pods.ready, leases.ready])
      podsOn = podsByNode(pods)
      leases.onChange((lease) => wake.now(lease.metadata.name))
      nodes.onChange((node, type) => {
        const { name } = node.metadata
        if (type === 'DELETED') signs.forget(name)
        zones = undefined
        // whether a node's pods are evicted depends on the others
        for (const each of nodes.list()) wake.now(each.metadata.name)
      })
      for (const node of nodes.list()) wake.now(node.metadata.name)
    },
    observe(name) {
      const found = nodes.get('', name)
      if (!found) return undefined
      const node = as<Node>(found)
      zones ??= zoneStates(nodes.list())
      return {
        node,
        pods: podsOn(name).map((pod) => as<Pod>(pod)),
        heardMs: bench.clock.nowMs() - signs.silentMs(node),
        zone: zones.get(zoneOf(node)) ?? 'normal',
        isAllLost: zones.size > 0 && [...zones.values()].every((state) => state === 'full'),
        nowMs: bench.clock.nowMs(),
      }
    },
    decide: decideSilence,
  })
}

/** Remembers when each node last gave a sign that differs from the one before; one that never spoke is as old as it is. */
function signsOfLife(bench: Bench, leases: WatchCache) {
  const heard = new Map<string, { readonly sign: string; readonly atMs: number }>()
  const { clock } = bench
  return {
    /** For how long: a clock that is set forward makes no node silent. */
    silentMs(node: Node): number {
      const { name, uid = '', creationTimestamp } = node.metadata
      const ready = conditionOf(node.status?.conditions, 'Ready')
      const renewed = readText(leases.get(LEASES, name), 'spec', 'renewTime')
      const sign = [uid, renewed, ready?.lastHeartbeatTime].join()
      const known = heard.get(name)
      if (known?.sign === sign) return clock.monotonicMs() - known.atMs
      const isMute = known === undefined && ready === undefined && renewed === ''
      const silentMs = isMute ? clock.nowMs() - timeMs(creationTimestamp) : 0
      heard.set(name, { sign, atMs: clock.monotonicMs() - silentMs })
      return silentMs
    },
    forget: (name: string) => heard.delete(name),
  }
}

function isReady(node: Node): boolean {
  return conditionOf(node.status?.conditions, 'Ready')?.status === 'True'
}

/** The zone of a node; labels of old times count where the present ones are missing. */
function zoneOf({ metadata: { labels = {} } }: KubeObject): string {
  const [region, zone] = ['region', 'zone'].map(
    (name) => labels[`topology.kubernetes.io/${name}`] ?? labels[`failure-domain.beta.kubernetes.io/${name}`] ?? '',
  )
  return `${region}/${zone}`
}

/** Nodes that say that they may come and go tell nothing of their zone. */
function zoneStates(nodes: readonly KubeObject[]): ReadonlyMap<string, ZoneState> {
  const counted = nodes.filter(({ metadata }) => metadata.labels?.[EXCLUDED] === undefined)
  const zones = groupBy(counted, zoneOf)
  return new Map([...zones].map(([zone, own]) => [zone, zoneStateOf(own.map((node) => isReady(as<Node>(node))))]))
}
