import type { ServerResponse } from 'node:http'
import { at, stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import { type Environment, timestamp } from '../environment.ts'
import { methodNotAllowed, notFound } from '../fault.ts'
import { presentMany, presentOne, sendText } from '../negotiation/respond.ts'
import { namespaceOf, type Obj, specOf } from '../object.ts'
import { selectionOf } from '../request/select.ts'
import { askNode } from './ask-node.ts'
import { isMeasured, isSimulated, METRICS } from '../upkeep/metrics-api.ts'
import { nodeMetrics, podMetrics } from './metrics-shape.ts'

/** Whether a request is for what is measured, not kept. */
export function isMetrics({ resource }: Call): boolean {
  return resource.group === METRICS
}

/**
 * GET of nodes and pods of metrics.k8s.io: asked of the kubelet APIs of the nodes. Who was not measured yet is not in lists.
 *
 * @throws Fault 404, 405
 * @see https://github.com/kubernetes-sigs/metrics-server/tree/master/pkg/api
 */
export async function answerMetrics(env: Environment, call: Call, response: ServerResponse): Promise<void> {
  if (call.method !== 'GET' || /^(1|true)$/.test(call.query.get('watch') ?? '')) throw methodNotAllowed()
  const { kind } = call.resource
  const found = kind === 'NodeMetrics' ? await measuredNodes(env, call) : await measuredPods(env, call)
  const creationTimestamp = timestamp(env.nowMs())
  const items = found.map((each) => ({
    object: { ...each, metadata: { ...each.metadata, creationTimestamp } },
    text: undefined,
  }))
  if (call.name === '') {
    const { contentType, text } = presentMany(call, items, {}, env.nowMs())
    return sendText(response, 200, text, contentType, call.warnings)
  }
  const [only] = items
  const { contentType, show } = presentOne(call, env.nowMs)
  const naming = { group: METRICS, kind, plural: kind.toLowerCase() }
  if (only === undefined) throw notFound(naming, call.namespace === '' ? call.name : `${call.namespace}/${call.name}`)
  sendText(response, 200, show(only, true), contentType, call.warnings)
}

async function measuredNodes(env: Environment, call: Call): Promise<Obj[]> {
  const wanted = select(env, call, '/nodes')
  if (call.name !== '' && wanted.length === 0) throw notFound({ group: '', kind: 'Node', plural: 'nodes' }, call.name)
  const summaries = await summariesOf(env, call, wanted)
  return wanted.flatMap((node) => {
    const summary = summaries.get(node.metadata.name)
    return (summary && nodeMetrics(node, summary)) ?? []
  })
}

async function measuredPods(env: Environment, call: Call): Promise<Obj[]> {
  const wanted = select(env, call, '/pods')
  if (call.name !== '' && wanted.length === 0)
    throw notFound({ group: '', kind: 'Pod', plural: 'pods' }, `${call.namespace}/${call.name}`)
  const running = wanted.filter((pod) => at(pod, 'status', 'phase') === 'Running')
  const names = new Set(running.map(nodeNameOf))
  const nodes = env.store.list('/nodes').filter(({ metadata }) => names.has(metadata.name))
  const summaries = await summariesOf(env, call, nodes)
  return running.flatMap((pod) => {
    const summary = summaries.get(nodeNameOf(pod))
    return (summary && podMetrics(pod, summary)) ?? []
  })
}

const nodeNameOf = (pod: Obj): string => stringOf(specOf(pod).nodeName)

/** The objects that are asked for, by the selectors of the kind that is measured. */
function select(env: Environment, call: Call, storageKey: string): readonly Obj[] {
  const resource = env.registry.byStorageKey(storageKey)
  const match = resource && selectionOf({ ...call, resource }).match
  const all = env.store.list(storageKey, call.namespace === '' ? undefined : call.namespace)
  const named = all.filter((each) => match?.(each) ?? true)
  return [...named].sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1))
}

const pathOf = (object: Obj): string => `${namespaceOf(object)}/${object.metadata.name}`

async function summariesOf(
  env: Environment,
  call: Call,
  nodes: readonly Obj[],
): Promise<ReadonlyMap<string, NonNullable<Awaited<ReturnType<typeof askNode>>>>> {
  const measured = nodes.filter(isMeasured)
  for (const { metadata } of measured.filter(isSimulated))
    call.warnings.push(`node ${metadata.name} simulates its pods: what they use is made up`)
  const answers = await Promise.all(
    measured.map(async ({ metadata: { name } }) => [name, await askNode(env, name)] as const),
  )
  return new Map(answers.flatMap(([name, summary]) => (summary === undefined ? [] : [[name, summary] as const])))
}
