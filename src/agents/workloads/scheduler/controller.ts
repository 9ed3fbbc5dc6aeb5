import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { Controller } from '../../../engine/controller.ts'
import { refOf } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { isSame, keyOf } from '../meta.ts'
import { as, type Node, type Pod } from '../shapes.ts'
import { isWaitingForNode, placePod, unscheduledConditions, type Placement } from './decide.ts'
import { createPlaces } from './places.ts'

type PodSeen = { readonly pod: Pod; readonly placement: Placement }

const COMPONENT = 'default-scheduler'

/** The scheduler: binds pods that wait for a node, one at a time; those that fit nowhere are looked at again when nodes or pods change. */
export function scheduler(bench: Bench): Controller<PodSeen, PodSeen, PodSeen> {
  const pods = bench.cache('v1', 'Pod')
  const nodes = bench.cache('v1', 'Node')
  const places = createPlaces()

  return {
    kind: 'scheduler',
    concurrency: 1,
    async watch(wake) {
      await Promise.all([pods.ready, nodes.ready])
      const wakeWaiting = (): void => places.waiting().forEach((key) => wake.now(key))
      pods.onChange((pod, type) => {
        const hasFreedRoom = places.take(as<Pod>(pod), type === 'DELETED')
        if (hasFreedRoom) wakeWaiting()
        else if (places.isWaiting(keyOf(pod))) wake.now(keyOf(pod))
      })
      nodes.onChange(wakeWaiting)
      for (const pod of pods.list()) places.take(as<Pod>(pod), false)
      wakeWaiting()
    },
    async observe(key) {
      const [namespace = '', name = ''] = key.split('/')
      const found = pods.get(namespace, name)
      if (!found || places.isPlaced(key) || !isWaitingForNode(as<Pod>(found))) return undefined
      const rooms = places.roomsOf(nodes.list().map((node) => as<Node>(node)))
      return { pod: as<Pod>(found), placement: placePod(as<Pod>(found), rooms) }
    },
    decide: (seen) =>
      seen.placement.nodeName === undefined ? { kind: 'done', status: seen } : { kind: 'act', changes: [seen] },
    async act(_changes, { pod, placement }) {
      if (placement.nodeName === undefined) return
      await bind(bench, pod, placement.nodeName)
      places.settleOn(pod, placement.nodeName)
    },
    settle: (seen) => reportUnscheduled(bench, seen),
    close: () => undefined,
  }
}

async function bind(bench: Bench, pod: Pod, nodeName: string): Promise<void> {
  const { name, namespace = '', uid } = pod.metadata
  const binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace, ...(uid !== undefined && { uid }) },
    target: { kind: 'Node', name: nodeName },
  }
  try {
    await bench.client.create(binding, { fieldManager: 'kube-scheduler', subresource: 'binding' })
  } catch (error) {
    // Bound or deleted by somebody else meanwhile: the watch will say.
    if (error instanceof ApiError && (error.status === 409 || error.status === 404)) return
    throw error
  }
  const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`
  bench.tell(COMPONENT, { about: pod, type: 'Normal', reason: 'Scheduled', message })
}

async function reportUnscheduled(bench: Bench, { pod, placement }: PodSeen): Promise<void> {
  if (placement.nodeName !== undefined) return
  const conditions = unscheduledConditions(pod, placement.why, bench.clock.nowMs())
  if (isSame(conditions, pod.status?.conditions)) return
  bench.tell(COMPONENT, { about: pod, type: 'Warning', reason: 'FailedScheduling', message: placement.why })
  const condition = conditions.find(({ type }) => type === 'PodScheduled')
  await bench.client.patch(
    refOf(pod),
    'strategic',
    { status: { conditions: [condition] } },
    {
      fieldManager: 'kube-scheduler',
      subresource: 'status',
    },
  )
}
