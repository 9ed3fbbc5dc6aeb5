import type { AbsorbingCache } from '../../../adapters/kube/types.ts'
import type { Controller, Wake } from '../../../engine/controller.ts'
import { matchesSelector } from '../../../lib/kube/label-selector.ts'
import type { Bench } from '../bench.ts'
import { lookUp, wakeFor } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { indexBy, type NameIndex } from '../index-by.ts'
import { byCreation, keyOf } from '../meta.ts'
import { as, type Node, type Pod, type Service } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideService, MANAGER, type ServiceSeen } from './decide.ts'
import { LEADER } from './mirror.ts'
import { type EndpointSlice, hasTopologyMode, serviceOf } from './slice.ts'
import { zoneSharesOf } from './topology.ts'
import { createTriggers } from './trigger.ts'

const FIRST_BACKOFF_MS = 1000

/** The EndpointSlice and Endpoints controllers in one: watches Services, pods and nodes. */
export function endpointsController(bench: Bench): Controller<ServiceSeen, Write, readonly Write[]> {
  const services = bench.cache('v1', 'Service')
  const pods = bench.cache('v1', 'Pod')
  const nodes = bench.cache('v1', 'Node')
  const slices = bench.cache('discovery.k8s.io/v1', 'EndpointSlice')
  const endpoints = bench.cache('v1', 'Endpoints')
  const triggers = createTriggers()
  const withMode = new Set<string>()
  /** Services that went. Endpoints that had none are their writer's own, whatever slices say. */
  const gone = new Set<string>()
  let slicesOf: NameIndex = () => []

  return workloadController<ServiceSeen>(bench, {
    kind: 'Service',
    component: 'endpoint-slice-controller',
    firstBackoffMs: FIRST_BACKOFF_MS,
    async watch(wake) {
      await Promise.all([services, pods, nodes, slices, endpoints].map((cache) => cache.ready))
      slicesOf = indexBy(slices, (slice) => [serviceOf(slice, MANAGER) ?? []].flat(), wake.now)
      // what somebody writes into it stays until something of the Service changes, as in the original
      endpoints.onChange((object, type) => type === 'DELETED' && wake.now(keyOf(object)))
      wakeByPods(pods, services, wake)
      nodes.onChange((_node, type) => {
        if (type !== 'MODIFIED') for (const service of services.list()) wake.now(keyOf(service))
      })
      wakeGone(gone, services, endpoints, wake)
      wakeFor(services, wake.now)
    },
    async observe(key, failure) {
      const service = lookUp<Service>(services, key)
      if (!service) {
        triggers.forget(key)
        withMode.delete(key)
        return await dropEndpoints(bench, gone, key)
      }
      gone.delete(key)
      const selector = { matchLabels: service.spec.selector ?? {} }
      const selected = (service.spec.selector ? pods.list(service.metadata.namespace) : [])
        .filter((pod) => matchesSelector(selector, pod.metadata.labels))
        .map((pod) => as<Pod>(pod))
      return {
        service,
        pods: selected.sort(byCreation),
        nodeNamed: (name) => lookUp<Node>(nodes, name),
        hadTopologyMode: noteMode(withMode, key, service),
        zoneShares: () => zoneSharesOf(nodes.list().map((node) => as<Node>(node))),
        slices: slicesOf(key)
          .map((slice) => as<EndpointSlice>(slice))
          .sort(byCreation),
        endpoints: lookUp(endpoints, key),
        ...(failure !== undefined && { failure }),
        // whose endpoints others write is first met when it gets a selector
        triggerMs: service.spec.selector ? triggers.since(key, service, selected) : undefined,
      }
    },
    decide: decideService,
  })
}

/** Whether the Service had the mode when it was last looked at. */
function noteMode(withMode: Set<string>, key: string, service: Service): boolean {
  const hadMode = withMode.has(key)
  if (hasTopologyMode(service)) withMode.add(key)
  else withMode.delete(key)
  return hadMode
}

/** A pod's change wakes the Services that select it, and those that selected it before its labels changed. */
function wakeByPods(pods: AbsorbingCache, services: AbsorbingCache, wake: Wake): void {
  const labelsBefore = new Map<string, Readonly<Record<string, string>>>()
  for (const pod of pods.list()) labelsBefore.set(pod.metadata.uid ?? '', pod.metadata.labels ?? {})
  pods.onChange((pod, type) => {
    const { uid = '', labels = {}, namespace = '' } = pod.metadata
    const before = labelsBefore.get(uid) ?? labels
    if (type === 'DELETED') labelsBefore.delete(uid)
    else labelsBefore.set(uid, labels)
    for (const service of services.list(namespace)) {
      const selector = as<Service>(service).spec.selector
      if (!selector) continue
      if ([before, labels].some((set) => matchesSelector({ matchLabels: selector }, set))) wake.now(keyOf(service))
    }
  })
}

/** Notes Services that go, and those that went while nobody looked and left Endpoints. */
function wakeGone(gone: Set<string>, services: AbsorbingCache, endpoints: AbsorbingCache, wake: Wake): void {
  services.onChange((service, type) => type === 'DELETED' && gone.add(keyOf(service)))
  for (const each of endpoints.list()) {
    if (each.metadata.annotations?.[LEADER]) continue
    gone.add(keyOf(each))
    wake.now(keyOf(each))
  }
}

/** The Endpoints object has no owner reference: it goes with its Service by name, whoever wrote it. Copies that are behind show neither for sure. */
async function dropEndpoints({ client, carryOut }: Bench, gone: Set<string>, key: string): Promise<undefined> {
  if (!gone.delete(key)) return undefined
  const [namespace = '', name = ''] = key.split('/')
  try {
    const left = await client.get({ apiVersion: 'v1', kind: 'Endpoints', namespace, name })
    if (left === undefined) return undefined
    const service = await client.get({ apiVersion: 'v1', kind: 'Service', namespace, name })
    if (service === undefined) await carryOut('endpoint-controller', [{ do: 'delete', object: left }])
    return undefined
  } catch (error) {
    gone.add(key)
    throw error
  }
}
