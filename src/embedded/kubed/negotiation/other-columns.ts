import {
  at,
  type Json,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'
import { integer, NONE, UNSET } from './cells.ts'
import { AGE, ageOf, type Cell, type Column, CREATED_AT, field, NAME, shown, spanOf, text } from './columns.ts'
import { CUSTOM_SCALES } from '../resources/resource.ts'

const join = (value: Json | undefined): string => listOf(value).map(stringOf).join(',')
const countOf = (name: string, ...path: readonly string[]): Column =>
  integer(name, (object) => listOf(at(object, ...path)).length)
const isTrue = (object: Obj, type: string): boolean =>
  objectsOf(at(object, 'status', 'conditions')).some((each) => each.type === type && each.status === 'True')

const paramKind: Cell = (object) => {
  const kind = at(object, 'spec', 'paramKind')
  return kind === undefined ? UNSET : `${stringOf(objectOf(kind).apiVersion)}/${stringOf(objectOf(kind).kind)}`
}
const paramRef: Cell = (object) => {
  const ref = at(object, 'spec', 'paramRef')
  if (ref === undefined) return UNSET
  const { namespace, name } = objectOf(ref)
  return `${stringOf(namespace) || '*'}/${stringOf(name)}`
}
const requestState: Cell = (request) => {
  const types = objectsOf(at(request, 'status', 'conditions')).map(({ type }) => type)
  const decided = types.includes('Denied') ? 'Denied' : types.includes('Approved') ? 'Approved' : 'Pending'
  const isIssued = stringOf(at(request, 'status', 'certificate')) !== ''
  return [decided, ...(types.includes('Failed') ? ['Failed'] : []), ...(isIssued ? ['Issued'] : [])].join(',')
}
const claimState: Cell = (claim) => {
  const states = claim.metadata.deletionTimestamp === undefined ? [] : ['deleted']
  if (at(claim, 'status', 'allocation') === undefined) return states.length > 0 ? 'deleted' : 'pending'
  const isReserved = listOf(at(claim, 'status', 'reservedFor')).length > 0
  return [...states, 'allocated', ...(isReserved ? ['reserved'] : [])].join(',')
}
const health = (component: Obj): JsonObject =>
  objectsOf(component.conditions).find(({ type }) => type === 'Healthy') ?? {}
const versions: Cell = (definition) =>
  objectsOf(at(definition, 'spec', 'versions'))
    .filter(({ served }) => served === true)
    .map(({ name, storage }) => (storage === true ? `${stringOf(name)}(storage)` : stringOf(name)))
    .join(',')
const parent: Cell = (address) => {
  const ref = at(address, 'spec', 'parentRef')
  if (ref === undefined) return NONE
  const { group, resource, namespace, name } = objectOf(ref)
  const kind = [resource, group].map(stringOf).filter(Boolean).join('.').toLowerCase()
  return [kind, stringOf(namespace), stringOf(name)].filter(Boolean).join('/')
}
const queuing =
  (name: string): Cell =>
  (level) =>
    shown(at(level, 'spec', 'limited', 'limitResponse', 'queuing', name)) || NONE
const policy = (rules: string, path: string): readonly Column[] => [
  NAME,
  countOf(rules, 'spec', path),
  text('ParamKind', paramKind),
  AGE,
]
const policyBinding: readonly Column[] = [
  NAME,
  field('PolicyName', 'spec', 'policyName'),
  text('ParamRef', paramRef),
  AGE,
]
const webhooks: readonly Column[] = [NAME, countOf('Webhooks', 'webhooks'), AGE]

/** Columns of the kinds that configure the server itself, by storage key. */
export const OTHER_COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  '/componentstatuses': [
    NAME,
    text('Status', (component) => (health(component).status === 'True' ? 'Healthy' : 'Unhealthy')),
    text('Message', (component) => stringOf(health(component).message)),
    text('Error', (component) => stringOf(health(component).error)),
  ],
  'apiextensions.k8s.io/customresourcedefinitions': [
    NAME,
    field('Scope', 'spec', 'scope'),
    text('Versions', versions),
    CREATED_AT,
    { ...field('Group', 'spec', 'group'), priority: 1 },
    { ...field('Kind', 'spec', 'names', 'kind'), priority: 1 },
    text('ShortNames', (definition) => join(at(definition, 'spec', 'names', 'shortNames')), 1),
    { ...text('Established', (definition) => isTrue(definition, 'Established'), 1), type: 'boolean' },
  ],
  'apiregistration.k8s.io/apiservices': [
    NAME,
    text('Service', (each) => {
      const service = at(each, 'spec', 'service')
      return service === undefined
        ? 'Local'
        : `${stringOf(objectOf(service).namespace)}/${stringOf(objectOf(service).name)}`
    }),
    text('Available', (each) => (isTrue(each, 'Available') ? 'True' : 'False')),
    AGE,
  ],
  'admissionregistration.k8s.io/validatingadmissionpolicies': policy('Validations', 'validations'),
  'admissionregistration.k8s.io/mutatingadmissionpolicies': policy('Mutations', 'mutations'),
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': policyBinding,
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': policyBinding,
  'admissionregistration.k8s.io/validatingwebhookconfigurations': webhooks,
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': webhooks,
  'certificates.k8s.io/certificatesigningrequests': [
    NAME,
    AGE,
    field('SignerName', 'spec', 'signerName'),
    field('Requestor', 'spec', 'username'),
    text('RequestedDuration', (request) => {
      const seconds = numberOf(at(request, 'spec', 'expirationSeconds'))
      return seconds === undefined ? NONE : spanOf(seconds * 1000)
    }),
    text('Condition', requestState),
  ],
  'certificates.k8s.io/clustertrustbundles': [NAME, field('SignerName', 'spec', 'signerName')],
  'autoscaling/scales': [
    { ...NAME, format: '' },
    integer('Desired', (scale) => numberOf(at(scale, 'spec', 'replicas')) ?? 0),
    integer('Available', (scale) => numberOf(at(scale, 'status', 'replicas')) ?? 0),
    AGE,
  ],
  [CUSTOM_SCALES]: [
    NAME,
    integer('Desired', (scale) => numberOf(at(scale, 'spec', 'replicas')) ?? 0),
    integer('Available', (scale) => numberOf(at(scale, 'status', 'replicas')) ?? 0),
    { ...AGE, type: 'date' },
  ],
  'networking.k8s.io/ipaddresses': [
    NAME,
    text('ParentRef', parent),
    // The printer writes an age that no column names.
    { ...AGE, isUnnamed: true },
  ],
  'networking.k8s.io/servicecidrs': [NAME, text('CIDRs', (range) => join(at(range, 'spec', 'cidrs'))), AGE],
  'node.k8s.io/runtimeclasses': [NAME, field('Handler', 'handler'), AGE],
  'resource.k8s.io/deviceclasses': [NAME, AGE],
  'resource.k8s.io/resourceclaimtemplates': [NAME, AGE],
  'resource.k8s.io/resourceclaims': [NAME, text('State', claimState), AGE],
  'resource.k8s.io/resourceslices': [
    NAME,
    text('Node', (slice) => shown(at(slice, 'spec', 'nodeName')) || NONE),
    field('Driver', 'spec', 'driver'),
    field('Pool', 'spec', 'pool', 'name'),
    AGE,
  ],
  'resource.k8s.io/devicetaintrules': [
    NAME,
    ...['key', 'value', 'effect'].map((name) =>
      field(`${name.charAt(0).toUpperCase()}${name.slice(1)}`, 'spec', 'taint', name),
    ),
    text('TimeAdded', (rule, now) => ageOf(at(rule, 'spec', 'taint', 'timeAdded'), now)),
    AGE,
  ],
  'flowcontrol.apiserver.k8s.io/flowschemas': [
    NAME,
    field('PriorityLevel', 'spec', 'priorityLevelConfiguration', 'name'),
    text('MatchingPrecedence', (schema) => numberOf(at(schema, 'spec', 'matchingPrecedence')) ?? 0),
    text('DistinguisherMethod', (schema) => shown(at(schema, 'spec', 'distinguisherMethod', 'type')) || NONE),
    AGE,
    text('MissingPL', (schema) => {
      const dangling = objectsOf(at(schema, 'status', 'conditions')).find(({ type }) => type === 'Dangling')
      return stringOf(dangling?.status) || '?'
    }),
  ],
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': [
    NAME,
    field('Type', 'spec', 'type'),
    text('NominalConcurrencyShares', (level) =>
      at(level, 'spec', 'limited') === undefined
        ? NONE
        : (numberOf(at(level, 'spec', 'limited', 'nominalConcurrencyShares')) ?? 0),
    ),
    text('Queues', queuing('queues')),
    text('HandSize', queuing('handSize')),
    text('QueueLengthLimit', queuing('queueLengthLimit')),
    AGE,
  ],
}
