import { at, type Json, stringOf } from '../../../lib/kube/json.ts'
import {
  type FieldRequirement,
  matchLabels,
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
} from '../../../lib/kube/selector.ts'
import { own } from '../../../lib/value/own.ts'
import type { Call } from './call.ts'
import { badRequest } from '../fault.ts'
import type { Obj } from '../object.ts'
import type { Resource } from '../resources/resource.ts'
import type { Label } from '../storage/labels.ts'
import { checkListNumbers, checkListOptions } from './list-options.ts'

/** Fields that a list may be selected by, besides name and namespace. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  '/pods': [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.podIPs',
    'status.nominatedNodeName',
  ],
  '/events': [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  '/namespaces': ['status.phase'],
  '/nodes': ['spec.unschedulable'],
  '/secrets': ['type'],
  '/services': ['spec.clusterIP', 'spec.type'],
  '/replicationcontrollers': ['status.replicas'],
  'batch/jobs': ['status.successful'],
  'certificates.k8s.io/certificatesigningrequests': ['spec.signerName'],
  'certificates.k8s.io/clustertrustbundles': ['spec.signerName'],
  'certificates.k8s.io/podcertificaterequests': ['spec.signerName', 'spec.podName', 'spec.nodeName'],
  'resource.k8s.io/resourceslices': ['spec.nodeName', 'spec.driver', 'spec.pool.name'],
}

/** Kinds that say of a field themselves that it selects nothing; the others leave it to what all kinds share. */
const OWN_WORDS: Readonly<Record<string, (field: string, resource: Resource) => string>> = {
  'batch/jobs': (field, { kind }) => `field label ${JSON.stringify(field)} not supported for ${kind}`,
  'resource.k8s.io/resourceslices': (field, { group, version, kind }) =>
    `field label not supported for ${group}/${version}, Kind=${kind}: ${field}`,
}

/** What selects events of the newer group, by where they are kept: the older names are none of it. */
const OF_NEW_EVENTS: Readonly<Record<string, string>> = {
  reason: 'reason',
  type: 'type',
  reportingController: 'reportingComponent',
  'regarding.kind': 'involvedObject.kind',
  'regarding.namespace': 'involvedObject.namespace',
  'regarding.name': 'involvedObject.name',
  'regarding.uid': 'involvedObject.uid',
  'regarding.apiVersion': 'involvedObject.apiVersion',
  'regarding.resourceVersion': 'involvedObject.resourceVersion',
  'regarding.fieldPath': 'involvedObject.fieldPath',
}

/** Where a field that selects is kept; undefined for one that selects nothing. */
function keptAt({ custom, group, storageKey }: Resource, field: string): string | undefined {
  if (group === 'events.k8s.io' && custom === undefined) return own(OF_NEW_EVENTS, field)
  if ((custom?.selectable ?? FIELDS[storageKey])?.includes(field) !== true) return undefined
  return storageKey === '/events' && field === 'source' ? 'source.component' : field
}

/** What a field that is not set is selected by, where that is not the empty text. */
const UNSET: Readonly<Record<string, string>> = {
  'spec.hostNetwork': 'false',
  'spec.unschedulable': 'false',
  'status.replicas': '0',
  'status.successful': '0',
}

/** Decides whether a stored object is in a list or watch. */
export type Match = (object: Obj) => boolean

/** What a request selects. */
export type Selection = {
  /** The test; undefined when everything is selected. */
  readonly match: Match | undefined
  /** Labels that all selected objects have. */
  readonly labels: readonly Label[]
  /** The one name that selected objects have; '' for any. */
  readonly name: string
}

/** The test that a request's selectors ask for, and what an index can do of it. Checks all options of the list. @throws Fault 400, 422 */
export function selectionOf(call: Call): Selection {
  const tests: Match[] = []
  checkListNumbers(call.query)
  const labels = parsed(() => parseLabelSelector(call.query.get('labelSelector') ?? ''))
  const fields = parsed(() => parseFieldSelector(call.query.get('fieldSelector') ?? ''))
  checkListOptions(call.query)
  if (labels.length > 0) {
    const matches = matchLabels(labels)
    tests.push((object) => matches(object.metadata.labels))
  }
  for (const requirement of fields) tests.push(fieldTest(call.resource, requirement))
  if (call.name !== '') tests.push((object) => object.metadata.name === call.name)
  const named = fields.find(({ field, negated }) => field === 'metadata.name' && !negated)
  return {
    match: tests.length === 0 ? undefined : (object) => tests.every((test) => test(object)),
    labels: labels.flatMap(({ key, operator, values }): Label[] =>
      operator === 'in' && values.length === 1 ? [[key, values[0] ?? '']] : [],
    ),
    name: call.name === '' ? (named?.value ?? '') : call.name,
  }
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error
    throw badRequest(error.message)
  }
}

function fieldTest(resource: Resource, { field, negated, value }: FieldRequirement): Match {
  const isShared =
    field === 'metadata.name' ||
    (field === 'metadata.namespace' && (resource.isNamespaced || hasSharedFields(resource)))
  const kept = isShared ? field : keptAt(resource, field)
  if (kept === undefined) throw badRequest(unknownField(resource, field))
  const path = kept.split('.')
  const wants = (object: Obj): boolean => (textOf(at(object, ...path)) || unsetText(field, object)) === value
  return negated ? (object) => !wants(object) : wants
}

/** New events have no source, and are found by who reports them. */
function unsetText(field: string, object: Obj): string {
  return field === 'source' ? stringOf(object.reportingComponent) : (own(UNSET, field) ?? '')
}

/** Kinds that leave the names of fields to what all share, which knows a namespace of those that have none, too. */
const hasSharedFields = ({ custom, storageKey }: Resource): boolean =>
  custom === undefined && FIELDS[storageKey] === undefined

function unknownField(resource: Resource, field: string): string {
  const own = OWN_WORDS[resource.storageKey]
  if (own !== undefined) return own(field, resource)
  if (hasSharedFields(resource))
    return `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
  return `field label not supported: ${field}`
}

function textOf(value: Json | undefined): string {
  if (typeof value === 'boolean' || typeof value === 'number') return String(value)
  return stringOf(value)
}
