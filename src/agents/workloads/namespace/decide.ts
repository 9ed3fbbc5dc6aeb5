import type { WorkloadDecision } from '../decision.ts'
import { isSame, timeMs } from '../meta.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Condition } from '../shapes.ts'
import type { Write } from '../write.ts'
import { endingConditions, type Leftovers } from './leftovers.ts'

/** A Namespace. */
export type Namespace = KubeObject & {
  readonly spec?: { readonly finalizers?: readonly string[] }
  readonly status?: { readonly phase?: string; readonly conditions?: readonly Condition[] }
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
  /** The longest that a pod of it may take to end. */
  readonly graceSeconds: number
  readonly nowMs: number
}

const ROOT_CA = 'kube-root-ca.crt'
const ABOUT = 'kubernetes.io/description'
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or ' +
  'kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'
const FINALIZER = 'kubernetes'
const SOONEST_MS = 250
const LATEST_MS = 5000

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
  if (found && isSame(found['data'], data) && found.metadata.annotations?.[ABOUT]) return []
  const annotations = { ...found?.metadata.annotations, [ABOUT]: DESCRIPTION }
  if (found) return [{ do: 'replace', object: { ...found, metadata: { ...found.metadata, annotations }, data } }]
  const metadata = { name: ROOT_CA, namespace: namespace.metadata.name, annotations }
  return [{ do: 'create', object: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } }]
}

function ending({ namespace, leftovers, graceSeconds, nowMs }: NamespaceSeen): WorkloadDecision {
  if (leftovers === undefined) return { kind: 'done', status: [] }
  const { name, deletionTimestamp } = namespace.metadata
  const endingMs = nowMs - timeMs(deletionTimestamp)
  const before = namespace.status?.conditions ?? []
  const conditions = endingConditions(name, leftovers, endingMs < graceSeconds * 1000, before, nowMs)
  const object = { ...namespace, status: { ...namespace.status, conditions } }
  const shown: Write[] = isSame(conditions, before) ? [] : [{ do: 'replace', object, subresource: 'status' }]
  // what it shows gives it another version: it goes at the next look
  if (leftovers.pods.length + leftovers.others.length === 0)
    return { kind: 'act', changes: shown.length > 0 ? shown : [finalized(namespace)] }
  return { kind: 'wait', afterMs: lookAgainMs(endingMs), status: shown }
}

/** Without Kubernetes' own finalizer, which lets the namespace go; as it was seen, since all of it is written. */
function finalized(namespace: Namespace): Write {
  const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER)
  return { do: 'replace', object: { ...namespace, spec: { finalizers } }, subresource: 'finalize' }
}

/** What has held a namespace for long holds it for a while longer. */
function lookAgainMs(endingMs: number): number {
  return Math.min(Math.max(endingMs / 4, SOONEST_MS), LATEST_MS)
}

/** Whether there is still something to be done before a namespace may go. */
export function isEnding({ metadata, spec }: Namespace): boolean {
  return metadata.deletionTimestamp !== undefined && (spec?.finalizers ?? []).includes(FINALIZER)
}
