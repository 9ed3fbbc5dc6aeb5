import { goQuote } from '../../../lib/value/go-quote.ts'
import { orderInText } from '../../../lib/kube/go-json.ts'
import { isObject, type Json, type JsonObject, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { badRequest, Fault, type FieldError, invalid } from '../fault.ts'
import { type Obj, objFrom } from '../object.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'
import { type Body, unrecognized } from './body.ts'
import { BARE, decodeApplied, decodeCustom } from './custom.ts'
import { DecodeError, decodeTyped, type Reading } from './typed.ts'

/**
 * Makes a body an object of the resource: unknown and repeated fields dropped, warned about or refused as the request asks.
 *
 * Works in place on its value. `isRestored`: it was decoded and merged before.
 */
export function decodeObject(
  env: Environment,
  call: Call,
  { value, oddities, spelling }: Body,
  isRestored = false,
): Obj {
  const { resource } = call
  const body = isObject(value) ? value : {}
  if (resource.custom === undefined) checkKind(env, resource, body)
  else checkCustomKind(call, resource, body, value)
  const unknown: string[] = []
  decodeInto(resource, body, { unknown, isRestored, spelling })
  reportUnknown(call, unknown, oddities)
  return objFrom(body, apiVersionOf(resource), resource.kind)
}

/** Before it is refused, another version is read with the fields that it has; another kind with its own, before the name is looked at. */
function checkCustomKind(call: Call, resource: Resource, body: JsonObject, sent: Json): void {
  const { kind, apiVersion } = body
  if (typeof kind !== 'string' || kind === '') throw unnamed(call, sent)
  const wanted = apiVersionOf(resource)
  const said = stringOf(apiVersion) || (call.method === 'PATCH' ? wanted : '')
  if (said !== wanted) {
    if (call.method === 'PATCH') throw otherVersion(resource, kind, said, body)
    const unknown: string[] = []
    if (said.startsWith(`${resource.group}/`))
      decodeInto({ ...resource, type: resource.custom?.versions.get(said) ?? BARE }, body, { unknown })
    reportUnknown(call, unknown)
    throw badRequest(`the API version in the data (${said}) does not match the expected API version (${wanted})`)
  }
  if (kind === resource.kind) return
  const name = isObject(body.metadata) ? stringOf(body.metadata.name) : ''
  throw invalid({ group: resource.group, kind }, name, [
    { field: 'kind', type: 'Invalid', message: `Invalid value: ${JSON.stringify(kind)}: must be ${resource.kind}` },
  ])
}

/** A patch may not move an object to another version. */
function otherVersion(resource: Resource, kind: string, said: string, { metadata }: JsonObject): Fault {
  const must = (field: string, value: string, wanted: string): FieldError[] =>
    value === wanted
      ? []
      : [{ field, type: 'Invalid', message: `Invalid value: ${JSON.stringify(value)}: must be ${wanted}` }]
  const group = said.slice(0, Math.max(said.lastIndexOf('/'), 0))
  return invalid({ group, kind }, stringOf(objectOf(metadata).name), [
    ...must('kind', kind, resource.kind),
    ...must('apiVersion', said, apiVersionOf(resource)),
  ])
}

/** The body of a patch was made here, and is told of as it is. */
function unnamed(call: Call, sent: Json): Fault {
  if (call.method === 'PATCH') return badRequest(`Object 'Kind' is missing in '${JSON.stringify(sent)}'`)
  const text = call.contentType === 'application/yaml' ? JSON.stringify(sent) : call.body.toString('utf8')
  return unrecognized(call, `Object 'Kind' is missing in '${text}'`)
}

/** Kinds that are no resource, and known all the same, by group and version. */
const KNOWN = new Set([
  'policy/v1 Eviction',
  'autoscaling/v1 Scale',
  'authentication.k8s.io/v1 TokenRequest',
  ...['Status', 'DeleteOptions', 'ListOptions', 'CreateOptions', 'PatchOptions', 'UpdateOptions', 'WatchEvent'].map(
    (kind) => `v1 ${kind}`,
  ),
  ...['PodStatusResult', 'RangeAllocation', 'SerializedReference'].map((kind) => `v1 ${kind}`),
])

/** Older versions of a body that say the same. */
const ALSO_TAKEN = new Set(['policy/v1beta1 Eviction'])

/** Groups of servers of their own, which know no kinds of others. */
const OWN_SCHEMES = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io'])

function checkKind(env: Environment, resource: Resource, body: JsonObject): void {
  const { apiVersion, kind } = body
  const wanted = apiVersionOf(resource)
  const saidVersion = stringOf(apiVersion) || wanted
  const saidKind = stringOf(kind) || resource.kind
  if (saidVersion === wanted && saidKind === resource.kind) return
  if (saidKind === resource.kind && ALSO_TAKEN.has(`${saidVersion} ${saidKind}`)) return
  const [version = '', group = ''] = saidVersion.split('/').reverse()
  const refuse = (why: string): Fault =>
    badRequest(`${saidKind} in version ${goQuote(version)} cannot be handled as a ${resource.kind}: ${why}`)
  const isOfScheme = !OWN_SCHEMES.has(resource.group) || group === resource.group
  const isKnown =
    KNOWN.has(`${saidVersion} ${saidKind}`) ||
    env.registry
      .all()
      .some(
        (each) =>
          isOfScheme &&
          each.custom === undefined &&
          each.group === group &&
          each.version === version &&
          each.kind === saidKind.replace(/List$/, ''),
      )
  if (!isKnown && resource.custom === undefined && !wasVersion(resource, { apiVersion: saidVersion, kind: saidKind }))
    throw refuse(
      `no kind ${goQuote(saidKind)} is registered for version ${goQuote(saidVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    )
  if (saidKind !== resource.kind && isKnown)
    throw refuse(
      `converting (${version}.${saidKind}) to (${packageOf(resource.group)}.${resource.kind}): unknown conversion`,
    )
  throw badRequest(`the API version in the data (${saidVersion}) does not match the expected API version (${wanted})`)
}

/** The group in which workloads and their networks began. */
const EXTENSIONS = 'extensions'

/** Versions that are served no more and still read, by group; with the kinds that they had where those were not all. */
const FORMER: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  apps: {
    v1beta1: /^(Deployment|StatefulSet|ControllerRevision)$/,
    v1beta2: /^(Deployment|StatefulSet|ControllerRevision|DaemonSet|ReplicaSet)$/,
  },
  batch: { v1beta1: /^CronJob$/ },
  'coordination.k8s.io': { v1beta1: /^Lease$/ },
  'discovery.k8s.io': { v1beta1: /^EndpointSlice$/ },
  // Kinds of other groups today.
  [EXTENSIONS]: { v1beta1: /^(Deployment|DaemonSet|ReplicaSet|Ingress|NetworkPolicy)$/ },
  'events.k8s.io': { v1beta1: /^Event$/ },
  'networking.k8s.io': { v1beta1: /^(Ingress|IngressClass|IPAddress|ServiceCIDR)$/ },
  policy: { v1beta1: /^PodDisruptionBudget$/ },
  'rbac.authorization.k8s.io': { v1alpha1: /./, v1beta1: /./ },
  'scheduling.k8s.io': { v1beta1: /^PriorityClass$/ },
  'storage.k8s.io': { v1beta1: /./ },
}

/** True for a body of the kind in a version that is served no more. */
export function wasVersion({ group, kind }: Resource, body: JsonObject): boolean {
  const [version = '', saidGroup = ''] = stringOf(body.apiVersion).split('/').reverse()
  if (stringOf(body.kind) !== kind) return false
  const home = saidGroup === EXTENSIONS ? saidGroup : group
  return saidGroup === home && FORMER[home]?.[version]?.test(kind) === true
}

/** The Go package of a group's own types: \`core\`, \`rbac\`, \`networking\`. */
const packageOf = (group: string): string => (group === '' ? 'core' : (group.split('.')[0] ?? ''))

/** Reads the value in place into the kind's types. What was `applied` has no field that its kind does not have. @throws UnfitBody */
export function decodeInto(resource: Resource, body: JsonObject, reading: Reading, applied = false): void {
  try {
    if (resource.custom !== undefined && applied) decodeApplied(resource.type, body, reading.unknown)
    else if (resource.custom !== undefined) decodeCustom(resource.type, body, reading.unknown)
    else decodeTyped(resource.type, body, '', reading, resource.kind)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    // Metadata of custom resources is read by itself.
    const why =
      resource.custom === undefined
        ? error.message
        : error.message
            .replace('Go struct field ObjectMeta.metadata of type', 'Go value of type')
            .replace('ObjectMeta.metadata.', 'ObjectMeta.')
    throw new UnfitBody(resource, why)
  }
}

/** 400 for a body that does not fit its kind. */
export class UnfitBody extends Fault {
  /** Go's words for what does not fit. */
  readonly why: string

  constructor({ kind, version }: Resource, why: string) {
    super(400, 'BadRequest', `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`)
    this.why = why
  }
}

/** Refuses or warns about fields that the kind does not have. */
export function reportUnknown(call: Call, unknown: readonly string[], oddities: readonly string[] = []): void {
  const heard = oddities.filter((oddity) => !isInside(call, unknown, oddity))
  const all = heard.length > 0 && unknown.length > 0 ? inOrder(call, unknown, heard) : told(unknown, heard)
  if (all.length === 0 || call.fieldValidation === 'Ignore') return
  if (call.fieldValidation === 'Warn') {
    for (const warning of all) call.warnings.push(warning)
    return
  }
  const { kind, version } = call.resource
  const faults = asOneFault(all)
  if (call.contentType === 'application/apply-patch+yaml' && unknown.length === 0)
    throw badRequest(`error strict decoding patch: error converting YAML to JSON: ${faults.join(', ')}`)
  throw badRequest(
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: strict decoding error: ${faults.join(', ')}`,
  )
}

/** The reader of YAML refuses a text once, with all its lines. */
function asOneFault(faults: readonly string[]): string[] {
  const isLine = (fault: string): boolean => /^line \d+: /.test(fault)
  const lines = faults.filter(isLine).map((line) => `\n  ${line}`)
  const others = faults.filter((fault) => !isLine(fault))
  return lines.length === 0 ? others : [`yaml: unmarshal errors:${lines.join('')}`, ...others]
}

/** Of a field that a built-in kind does not have nothing more is read. */
function isInside({ resource, contentType }: Call, unknown: readonly string[], oddity: string): boolean {
  if (resource.custom !== undefined || contentType === 'application/yaml') return false
  const path = /^duplicate field "(.*)"$/.exec(oddity)?.[1] ?? ''
  return unknown.some((each) => path === each || path.startsWith(`${each}.`) || path.startsWith(`${each}[`))
}

const told = (unknown: readonly string[], oddities: readonly string[]): string[] => [
  ...oddities,
  ...unknown.map((path) => `unknown field ${JSON.stringify(path)}`),
]

/** Built-in kinds are read in one pass over the text, which meets both as they come. */
function inOrder(
  { body, contentType, method, resource }: Call,
  unknown: readonly string[],
  oddities: readonly string[],
): string[] {
  const isOnePass = resource.custom === undefined && method !== 'PATCH' && /^(application\/json)?$/.test(contentType)
  if (!isOnePass) return told(unknown, oddities)
  const heard = new Set(told(unknown, oddities))
  return orderInText(body.toString('utf8'), unknown)
    .map(({ path, isRepeated }) => `${isRepeated ? 'duplicate' : 'unknown'} field ${JSON.stringify(path)}`)
    .filter((fault) => heard.has(fault))
}
