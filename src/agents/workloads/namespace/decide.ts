import type { WorkloadDecision } from '../decision.ts'
import { isSame, timeText } from '../meta.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Condition } from '../shapes.ts'
import type { Write } from '../write.ts'

/** A Namespace. */
export type Namespace = KubeObject & {
  readonly spec?: { readonly finalizers?: readonly string[] }
  readonly status?: { readonly phase?: string; readonly conditions?: readonly Condition[] }
}

/** What is left in a namespace that ends: counts by resource and by finalizer. */
export type Leftovers = {
  readonly resources: Readonly<Record<string, number>>
  readonly finalizers: Readonly<Record<string, number>>
}

/** What a Namespace's decision needs. */
export type NamespaceSeen = {
  readonly namespace: Namespace
  readonly hasServiceAccount: boolean
  readonly rootCa: KubeObject | undefined
  /** The certificates that pods check the API server by; `undefined` when they are not known. */
  readonly caPem: string | undefined
  /** Present after a round of deletion. */
  readonly leftovers?: Leftovers
  readonly nowMs: number
}

const ROOT_CA = 'kube-root-ca.crt'
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or ' +
  'kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'
const LOOK_AGAIN_MS = 250

/** Pure. Gives a namespace its ServiceAccount and root certificates, and reports what keeps one that ends. */
export function decideNamespace(seen: NamespaceSeen): WorkloadDecision {
  if (seen.namespace.metadata.deletionTimestamp !== undefined) return ending(seen)
  const writes = [...serviceAccount(seen), ...rootCa(seen)]
  return writes.length > 0 ? { kind: 'act', changes: writes } : { kind: 'done', status: [] }
}

function serviceAccount({ namespace, hasServiceAccount }: NamespaceSeen): Write[] {
  if (hasServiceAccount) return []
  const metadata = { name: 'default', namespace: namespace.metadata.name }
  return [{ do: 'create', object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata } }]
}

function rootCa({ namespace, rootCa: found, caPem }: NamespaceSeen): Write[] {
  if (caPem === undefined) return []
  const data = { 'ca.crt': caPem }
  if (found && isSame(found['data'], data)) return []
  if (found) return [{ do: 'replace', object: { ...found, data } }]
  const metadata = {
    name: ROOT_CA,
    namespace: namespace.metadata.name,
    annotations: { 'kubernetes.io/description': DESCRIPTION },
  }
  return [{ do: 'create', object: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } }]
}

function ending({ namespace, leftovers, nowMs }: NamespaceSeen): WorkloadDecision {
  if (!leftovers || Object.keys(leftovers.resources).length === 0) return { kind: 'done', status: [] }
  const conditions = leftoverConditions(leftovers, namespace.status?.conditions ?? [], nowMs)
  const changed = !isSame(conditions, namespace.status?.conditions ?? [])
  const object = { ...namespace, status: { ...namespace.status, conditions } }
  return {
    kind: 'wait',
    afterMs: LOOK_AGAIN_MS,
    status: changed ? [{ do: 'replace', object, subresource: 'status' }] : [],
  }
}

function leftoverConditions(left: Leftovers, before: readonly Condition[], nowMs: number): Condition[] {
  const resources = Object.entries(left.resources).map(([name, count]) => `${name} has ${count} resource instances`)
  const finalizers = Object.entries(left.finalizers).map(([name, count]) => `${name} in ${count} resource instances`)
  const wanted: Condition[] = [
    say('NamespaceDeletionDiscoveryFailure', false, 'ResourcesDiscovered', 'All resources successfully discovered'),
    say(
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ),
    say(
      'NamespaceDeletionContentFailure',
      false,
      'ContentDeleted',
      'All content successfully deleted, may be waiting on finalization',
    ),
    say(
      'NamespaceContentRemaining',
      true,
      'SomeResourcesRemain',
      `Some resources are remaining: ${resources.join(', ')}`,
    ),
    finalizers.length > 0
      ? say(
          'NamespaceFinalizersRemaining',
          true,
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${finalizers.join(', ')}`,
        )
      : say(
          'NamespaceFinalizersRemaining',
          false,
          'ContentHasNoFinalizers',
          'All content-preserving finalizers finished',
        ),
  ]
  return wanted.map((condition) => {
    const old = before.find(({ type }) => type === condition.type)
    const isKept =
      old?.status === condition.status && old.reason === condition.reason && old.message === condition.message
    return isKept ? old : { ...condition, lastTransitionTime: timeText(nowMs) }
  })
}

function say(type: string, isTrue: boolean, reason: string, message: string): Condition {
  return { type, status: isTrue ? 'True' : 'False', reason, message }
}
