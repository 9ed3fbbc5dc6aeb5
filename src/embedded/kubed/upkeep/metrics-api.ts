import { definition } from '../../../lib/kube-schema/builtin.ts'
import { type Schema, typeOf } from '../../../lib/kube-schema/schema.ts'
import { at, asJson, stringOf } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import { type Obj, specOf } from '../object.ts'
import type { Resource } from '../resources/resource.ts'

/** The group that says what nodes and pods use. */
export const METRICS = 'metrics.k8s.io'

const META = { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' } as const
const QUANTITIES: Schema = { type: 'object', additionalProperties: { type: 'string' } }
const MEASURED: Readonly<Record<string, Schema>> = {
  timestamp: { type: 'string', format: 'date-time' },
  window: { type: 'string' },
}
const CONTAINERS: Schema = {
  type: 'array',
  items: { type: 'object', properties: { name: { type: 'string' }, usage: QUANTITIES } },
}

/** The kinds of the group, as the add-on metrics-server serves them. They are asked, not kept. */
const METRICS_RESOURCES: readonly Resource[] = [
  resourceOf('NodeMetrics', 'nodes', false, { ...MEASURED, usage: QUANTITIES }),
  resourceOf('PodMetrics', 'pods', true, { ...MEASURED, containers: CONTAINERS }),
]

function resourceOf(
  kind: string,
  plural: string,
  isNamespaced: boolean,
  properties: Readonly<Record<string, Schema>>,
): Resource {
  const schema: Schema = { type: 'object', properties }
  const typed = { ...schema, properties: { ...properties, metadata: META } }
  return {
    group: METRICS,
    version: 'v1beta1',
    kind,
    plural,
    singular: '',
    shortNames: [],
    categories: [],
    isNamespaced,
    verbs: ['get', 'list'],
    subresources: new Map(),
    storageKey: `${METRICS}/${plural}`,
    storedVersion: `${METRICS}/v1beta1`,
    type: typeOf(typed, definition),
    custom: {
      definition: METRICS,
      columns: [],
      scale: undefined,
      deprecation: undefined,
      schema: asJson(schema),
      written: typeOf(schema, definition),
      versions: new Map([[`${METRICS}/v1beta1`, typeOf(typed, definition)]]),
      isFitted: false,
      isEnding: false,
      selectable: [],
    },
  }
}

/** Whether a node measures what runs on it. */
export function isMeasured(node: Obj): boolean {
  const port = at(node, 'status', 'daemonEndpoints', 'kubeletEndpoint', 'Port')
  return typeof port === 'number' && port > 0
}

/** Whether a node makes its numbers up. */
export function isSimulated({ metadata }: Obj): boolean {
  return metadata.labels?.['sluice.dev/simulated'] === 'true'
}

/**
 * Serves the group from when a node measures, as a cluster has it from when the add-on is there. What a node that simulates makes up is
 * offered only once it is about something: a pod that is on it. True when it was not offered before.
 */
export function offerMetrics(env: Environment, written: Obj): boolean {
  if (written.kind !== 'Node' && written.kind !== 'Pod') return false
  if (env.registry.find(METRICS, 'v1beta1', 'pods') !== undefined) return false
  const nodes = env.store.list('/nodes').filter(isMeasured)
  const offers = (node: Obj): boolean =>
    !isSimulated(node) || (written.kind === 'Pod' && stringOf(specOf(written).nodeName) === node.metadata.name)
  if (!nodes.some(offers)) return false
  env.registry.setCustom(METRICS, METRICS_RESOURCES)
  return true
}

/** Who may view, edit or administrate a namespace may see what its pods use. @see metrics-server's own manifests */
export function metricsReader(): Obj {
  const aggregate = ['view', 'edit', 'admin'].map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true'])
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'system:aggregated-metrics-reader', labels: Object.fromEntries(aggregate) },
    rules: [{ apiGroups: [METRICS], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }],
  }
}
