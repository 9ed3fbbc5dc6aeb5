import { at, type Json, type JsonObject, numberOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { isQuantityError, parseQuantity } from '../../../lib/kube/quantity.ts'
import type { Obj } from '../object.ts'

const API = 'metrics.k8s.io/v1beta1'

/** What the node says of itself in its summary; undefined until it has looked twice. */
export function nodeMetrics(node: Obj, summary: JsonObject): Obj | undefined {
  const stats = objectOf(summary.node)
  const usage = usageOf(stats)
  if (usage === undefined) return undefined
  return { kind: 'NodeMetrics', apiVersion: API, metadata: metadataOf(node), ...momentOf(stats), usage }
}

/** What a node's summary says of a pod; undefined, as metrics-server has it, until it says something of all its containers. */
export function podMetrics(pod: Obj, summary: JsonObject): Obj | undefined {
  const mine = objectsOf(summary.pods).find(({ podRef }) => objectOf(podRef).uid === pod.metadata.uid)
  const measured = objectsOf(mine?.containers)
  const [first] = measured
  if (first === undefined || measured.some((each) => usageOf(each) === undefined)) return undefined
  const containers = measured.map((each): Json => ({ name: stringOf(each.name), usage: usageOf(each) }))
  return { kind: 'PodMetrics', apiVersion: API, metadata: metadataOf(pod), ...momentOf(first), containers }
}

function metadataOf({ metadata: { name, namespace, labels } }: Obj): Obj['metadata'] {
  return { name, ...(namespace === undefined ? {} : { namespace }), ...(labels === undefined ? {} : { labels }) }
}

function momentOf(stats: JsonObject): { readonly timestamp: string; readonly window: string } {
  const seconds = (numberOf(at(stats, 'cpu', 'windowMs')) ?? 0) / 1000
  return { timestamp: stringOf(at(stats, 'cpu', 'time')), window: durationText(seconds) }
}

/** As Go writes a duration: `1m5.2s`. */
function durationText(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)]
  const rest = `${Number((seconds % 60).toFixed(3))}s`
  return `${hours > 0 ? `${hours}h` : ''}${hours + minutes > 0 ? `${minutes}m` : ''}${rest}`
}

function usageOf(stats: JsonObject): JsonObject | undefined {
  const [nanoCores, bytes] = [
    numberOf(at(stats, 'cpu', 'usageNanoCores')),
    numberOf(at(stats, 'memory', 'workingSetBytes')),
  ]
  if (nanoCores === undefined || bytes === undefined) return undefined
  return {
    cpu: canonical(`${Math.round(nanoCores)}n`),
    memory: canonical(`${Math.ceil(bytes / 1024)}Ki`),
  }
}

function canonical(text: string): string {
  const quantity = parseQuantity(text)
  return isQuantityError(quantity) ? text : quantity.text
}
