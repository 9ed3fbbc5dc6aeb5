import { at, equal, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'
import type { Resource } from '../resources/resource.ts'
import { labelError } from '../../../lib/kube/names.ts'
import { warningsOfDefinition } from './definition.ts'
import { fractions, warningsOfPod } from './pod.ts'

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
  if (resource.custom !== undefined) return []
  const [key, isNew] = [resource.storageKey, before === undefined]
  const template = TEMPLATES[key]
  return [
    ...(isNew && NAMES_PODS.has(key) ? ofName(object.metadata.name, key) : []),
    ...(key === '/pods' ? warningsOfPod(object, '') : []),
    ...(template === undefined ? [] : warningsOfPod(objectOf(at(object, ...template)), template.join('.'))),
    ...(key === '/services' ? ofService(objectOf(object.spec)) : []),
    ...(key === '/persistentvolumeclaims' ? ofClaim(objectOf(object.spec), 'spec') : []),
    ...(key === 'apps/statefulsets' ? ofStatefulSet(objectOf(object.spec)) : []),
    ...(key === DEFINITIONS ? ofDefinition(object, before) : []),
    ...(key === '/nodes' && stringOf(objectOf(object.spec).externalID) !== ''
      ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes']
      : []),
    ...(key === '/secrets' ? ofSecret(object) : []),
    ...(key === 'storage.k8s.io/csidrivers' ? ofDriver(objectOf(object.spec), objectOf(before?.spec)) : []),
    ...(key === 'networking.k8s.io/ingresses' && isNew ? ofIngress(object) : []),
    ...(key === 'discovery.k8s.io/endpointslices' && isNew && object.addressType === 'FQDN'
      ? ['spec.addressType: FQDN endpoints are deprecated']
      : []),
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

function ofStatefulSet({ volumeClaimTemplates, revisionHistoryLimit }: JsonObject): string[] {
  const ofClaims = objectsOf(volumeClaimTemplates).flatMap(({ spec }, index) =>
    ofClaim(objectOf(spec), `spec.volumeClaimTemplates[${index}]`),
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

function ofService(spec: JsonObject): string[] {
  const isHeadless = spec.type === 'ClusterIP' && spec.clusterIP === 'None'
  const hasExternal = listOf(spec.externalIPs).length > 0
  const isExternalName = spec.type === 'ExternalName'
  const near = 'PreferClose'
  const said: readonly (readonly [boolean, string])[] = [
    [isHeadless && stringOf(spec.loadBalancerIP) !== '', 'spec.loadBalancerIP is ignored for headless services'],
    [isHeadless && hasExternal, 'spec.externalIPs is ignored for headless services'],
    [isHeadless && spec.sessionAffinity !== 'None', 'spec.SessionAffinity is ignored for headless services'],
    [
      hasExternal && !isHeadless && !isExternalName,
      'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
    ],
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
