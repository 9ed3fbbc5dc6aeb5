import { at, type Json, stringOf } from '../../../lib/kube/json.ts'
import {
  type FieldRequirement,
  matchLabels,
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
} from '../../../lib/kube/selector.ts'
import type { Call } from '../call.ts'
import { badRequest } from '../fault.ts'
import type { Obj } from '../object.ts'
import type { Resource } from '../resources/resource.ts'

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
  'apps/replicasets': ['status.replicas'],
  'batch/jobs': ['status.successful'],
}
const RENAMED: Readonly<Record<string, string>> = {
  reportingComponent: 'reportingComponent',
  source: 'source.component',
  'regarding.kind': 'involvedObject.kind',
  'regarding.name': 'involvedObject.name',
  'regarding.namespace': 'involvedObject.namespace',
  'regarding.uid': 'involvedObject.uid',
}

/** Decides whether a stored object is in a list or watch. */
export type Match = (object: Obj) => boolean

/** The test that a request's selectors ask for; undefined when everything is selected. */
export function matchOf(call: Call): Match | undefined {
  const tests: Match[] = []
  const labels = call.query.get('labelSelector')
  const fields = call.query.get('fieldSelector')
  try {
    if (labels !== null && labels !== '') {
      const match = matchLabels(parseLabelSelector(labels))
      tests.push((object) => match(object.metadata.labels))
    }
    if (fields !== null && fields !== '')
      for (const requirement of parseFieldSelector(fields)) tests.push(fieldTest(call.resource, requirement))
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error
    throw badRequest(error.message)
  }
  if (call.name !== '') tests.push((object) => object.metadata.name === call.name)
  if (tests.length === 0) return undefined
  return (object) => tests.every((test) => test(object))
}

function fieldTest(resource: Resource, { field, negated, value }: FieldRequirement): Match {
  const isAllowed =
    field === 'metadata.name' ||
    (field === 'metadata.namespace' && resource.isNamespaced) ||
    FIELDS[resource.storageKey]?.includes(field) === true ||
    (RENAMED[field] !== undefined && resource.storageKey === '/events')
  if (!isAllowed)
    throw badRequest(
      resource.custom === undefined && resource.group === '' && resource.plural !== 'configmaps'
        ? `field label not supported: ${field}`
        : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
    )
  const path = (RENAMED[field] ?? field).split('.')
  const wants = (object: Obj): boolean => textOf(at(object, ...path)) === value
  return negated ? (object) => !wants(object) : wants
}

function textOf(value: Json | undefined): string {
  if (typeof value === 'boolean' || typeof value === 'number') return String(value)
  return stringOf(value)
}
