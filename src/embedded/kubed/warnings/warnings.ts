import { at, equal, type JsonObject, listOf, numberOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'
import type { Resource } from '../resources/resource.ts'
import { labelError } from '../../../lib/kube/names.ts'
import { ofEndpoints, ofNodeNetworks, ofPolicy, ofServiceAddresses, ofSlice } from './addresses.ts'
import { warningsOfDefinition } from './definition.ts'
import { warningsOfFinalizers } from './finalizers.ts'
import { fractions, warningsOfPod } from './pod.ts'
import { ofCapacity, ofOldClass, ofRuntime, ofTopologies, ofVolume } from './volumes.ts'

const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions'

/** Kinds that are on their way out, for every request. */
const DEPRECATED: Readonly<Record<string, string>> = {
  '/componentstatuses': 'v1 ComponentStatus is deprecated in v1.19+',
  '/endpoints': 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
}

/** What every request for the kind is told; undefined for most. */
export function deprecationOf(resource: Resource): string | undefined {
  return resource.custom === undefined ? DEPRECATED[resource.storageKey] : resource.custom.deprecation
}

/** Where kinds keep their pod template. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  'apps/deployments': ['spec', 'template'],
  'apps/replicasets': ['spec', 'template'],
  'apps/statefulsets': ['spec', 'template'],
  'apps/daemonsets': ['spec', 'template'],
  '/replicationcontrollers': ['spec', 'template'],
  'batch/jobs': ['spec', 'template'],
  'batch/cronjobs': ['spec', 'jobTemplate', 'spec', 'template'],
  '/podtemplates': ['template'],
}
/** Kinds whose name becomes part of host names. */
const NAMES_PODS = new Set([
  ...['apps/deployments', 'apps/replicasets', '/replicationcontrollers', '/pods', 'batch/cronjobs', 'batch/jobs'],
])

/** What the server says besides of a written object that it accepts. Some are said at creation only, some of changes. */
export function warningsOf(resource: Resource, object: Obj, before: Obj | undefined): string[] {
  if (resource.custom !== undefined) return warningsOfFinalizers(object, before)
  const [key, isNew] = [resource.storageKey, before === undefined]
  const template = TEMPLATES[key]
  return [
    ...(isNew && NAMES_PODS.has(key) ? ofName(object.metadata.name, key) : []),
    ...(key === '/pods' && isNew ? warningsOfPod(object, '') : []),
    ...(template === undefined ? [] : ofWorkload(key, object, before, template)),
    ...(key === '/services' ? ofService(object) : []),
    ...(key === '/persistentvolumeclaims' ? [...ofOldClass(object), ...ofClaim(objectOf(object.spec), 'spec')] : []),
    ...(key === 'apps/statefulsets' ? ofStatefulSet(objectOf(object.spec), isNew) : []),
    ...(OTHERS[key]?.(object) ?? []),
    ...(key === DEFINITIONS ? ofDefinition(object, before) : []),
    ...(key === '/secrets' ? ofSecret(object) : []),
    ...(key === 'storage.k8s.io/csidrivers' ? ofDriver(objectOf(object.spec), objectOf(before?.spec)) : []),
    ...(key === 'networking.k8s.io/ingresses' && isNew ? ofIngress(object) : []),
    ...(key === 'discovery.k8s.io/endpointslices' && isNew && object.addressType === 'FQDN'
      ? ['spec.addressType: FQDN endpoints are deprecated']
      : []),
  ]
}

/** Kinds that are told the same at their creation as later. */
const OTHERS: Readonly<Record<string, (object: Obj) => string[]>> = {
  '/nodes': ({ spec }) => [
    ...(objectOf(spec).configSource === undefined ? [] : ['spec.configSource: the feature is removed']),
    ...(stringOf(objectOf(spec).externalID) === ''
      ? []
      : ['spec.externalID: this field is deprecated, and is unused by Kubernetes']),
    ...ofNodeNetworks(objectOf(spec)),
  ],
  '/endpoints': ofEndpoints,
  'discovery.k8s.io/endpointslices': ofSlice,
  'networking.k8s.io/networkpolicies': ({ spec }) => ofPolicy(objectOf(spec)),
  '/persistentvolumes': ofVolume,
  'storage.k8s.io/storageclasses': ({ allowedTopologies }) => ofTopologies(objectsOf(allowedTopologies)),
  'storage.k8s.io/csistoragecapacities': ({ nodeTopology }) => ofCapacity(objectOf(nodeTopology)),
  'node.k8s.io/runtimeclasses': ({ scheduling }) => ofRuntime(objectOf(scheduling)),
}

const MANY_INDEXES = 100_000
const MANY_AT_ONCE = 10_000

/** Of a template that did not change nothing is told again; whoever changes a controller that has a generation changes all of its specification. */
function ofWorkload(key: string, object: Obj, before: Obj | undefined, template: readonly string[]): string[] {
  const counted = key === 'apps/daemonsets' ? template : template.slice(0, 1)
  const isSame = before !== undefined && equal(at(object, ...counted) ?? null, at(before, ...counted) ?? null)
  if (isSame) return ofSchedule(key, object, before)
  // The server looks at the template that was there before.
  const told = key === '/replicationcontrollers' && before !== undefined ? before : object
  const path = template.slice(0, -1)
  const job = key.startsWith('batch/') ? objectOf(at(object, ...path)) : {}
  const isTooLarge =
    job.completionMode === 'Indexed' &&
    (numberOf(job.completions) ?? 0) > MANY_INDEXES &&
    (numberOf(job.parallelism) ?? 0) > MANY_AT_ONCE
  return [
    ...(isTooLarge
      ? [
          `${path.join('.')}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
        ]
      : []),
    ...warningsOfPod(objectOf(at(told, ...template)), template.join('.')),
    ...ofSchedule(key, object, before),
  ]
}

function ofSchedule(key: string, { spec }: Obj, before: Obj | undefined): string[] {
  if (key !== 'batch/cronjobs' || before === undefined || !stringOf(objectOf(spec).schedule).includes('TZ')) return []
  return [
    'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
  ]
}

/** An older fault of a definition is not told again. */
function ofDefinition(object: Obj, before: Obj | undefined): string[] {
  const told = before === undefined ? [] : warningsOfDefinition(before)
  return warningsOfDefinition(object).filter((warning) => !told.includes(warning))
}

function ofClaim({ resources }: JsonObject, path: string): string[] {
  const { requests, limits } = objectOf(resources)
  return [
    ...fractions(objectOf(requests), ['storage'], `${path}.resources.requests`),
    ...fractions(objectOf(limits), ['storage'], `${path}.resources.limits`),
  ]
}

function ofStatefulSet({ volumeClaimTemplates, revisionHistoryLimit }: JsonObject, isNew: boolean): string[] {
  const ofClaims = objectsOf(volumeClaimTemplates).flatMap(({ spec }, index) =>
    ofClaim(objectOf(spec), `spec.volumeClaimTemplates[${index}]${isNew ? '' : '.Spec'}`),
  )
  if (typeof revisionHistoryLimit !== 'number' || revisionHistoryLimit >= 0) return ofClaims
  const all = 'a negative value retains all historical revisions; a value >= 0 is recommended'
  return [...ofClaims, `spec.revisionHistoryLimit: ${all}`]
}

function ofDriver({ tokenRequests, serviceAccountTokenInSecrets }: JsonObject, before: JsonObject): string[] {
  const isTold = listOf(tokenRequests).length > 0 && !equal(tokenRequests ?? null, before.tokenRequests ?? null)
  if (!isTold || serviceAccountTokenInSecrets !== undefined) return []
  return [
    'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes',
  ]
}

function ofName(name: string, storageKey: string): string[] {
  const fault = labelError(name)
  if (fault === undefined) return []
  const used = storageKey === '/pods' ? "the Pod's hostname" : 'Pod names and hostnames'
  return [
    `metadata.name: this is used in ${used}, which can result in surprising behavior; a DNS label is recommended: [${fault}]`,
  ]
}

const OLD_HINTS = 'service.kubernetes.io/topology-aware-hints'

function ofService({ metadata, spec: given }: Obj): string[] {
  const spec = objectOf(given)
  const isHeadless = spec.type === 'ClusterIP' && spec.clusterIP === 'None'
  const hasExternal = listOf(spec.externalIPs).length > 0
  const isExternalName = spec.type === 'ExternalName'
  const near = 'PreferClose'
  const { own, external, balancer } = ofServiceAddresses(spec)
  const all = (texts: readonly string[]): [true, string][] => texts.map((text) => [true, text])
  const said: readonly (readonly [boolean, string])[] = [
    [
      metadata.annotations?.[OLD_HINTS] !== undefined,
      `annotation ${OLD_HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead`,
    ],
    ...all(own),
    [isHeadless && stringOf(spec.loadBalancerIP) !== '', 'spec.loadBalancerIP is ignored for headless services'],
    [isHeadless && hasExternal, 'spec.externalIPs is ignored for headless services'],
    [isHeadless && spec.sessionAffinity !== 'None', 'spec.SessionAffinity is ignored for headless services'],
    ...all(external),
    [
      hasExternal && !isHeadless && !isExternalName,
      'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
    ],
    ...all(balancer),
    [hasExternal && isExternalName, 'spec.externalIPs is ignored when spec.type is "ExternalName"'],
    [
      !isExternalName && stringOf(spec.externalName) !== '',
      'spec.externalName is ignored when spec.type is not "ExternalName"',
    ],
    [spec.trafficDistribution === near, `spec.trafficDistribution: "${near}" is deprecated; use "PreferSameZone"`],
  ]
  return said.filter(([applies]) => applies).map(([, text]) => text)
}

const NO_PEM = { 'tls.crt': 'certificate', 'tls.key': 'key' }

function ofSecret({ type, data }: Obj): string[] {
  if (type !== 'kubernetes.io/tls') return []
  for (const [field, word] of Object.entries(NO_PEM)) {
    const text = Buffer.from(stringOf(objectOf(data)[field]), 'base64').toString('latin1')
    if (!text.includes('-----BEGIN ')) return [`tls: failed to find any PEM data in ${word} input`]
  }
  return []
}

const CLASS = 'kubernetes.io/ingress.class'

function ofIngress({ metadata, spec }: Obj): string[] {
  const isOld = objectOf(metadata.annotations)[CLASS] !== undefined && objectOf(spec).ingressClassName === undefined
  return isOld ? [`annotation ${JSON.stringify(CLASS)} is deprecated, please use 'spec.ingressClassName' instead`] : []
}
