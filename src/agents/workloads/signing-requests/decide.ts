import { X509Certificate } from 'node:crypto'
import { BACKOFF } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { readSigningRequest } from '../../../lib/x509/request.ts'
import type { WorkloadDecision } from '../decision.ts'
import { conditionOf, timeMs } from '../meta.ts'
import type { Condition } from '../shapes.ts'

/** A CertificateSigningRequest. */
export type SigningRequestObject = KubeObject & {
  readonly spec: {
    /** PEM in base64. */
    readonly request: string
    readonly signerName: string
    readonly usages?: readonly string[]
    readonly username?: string
    readonly uid?: string
    readonly groups?: readonly string[]
    readonly extra?: Readonly<Record<string, readonly string[]>>
  }
  readonly status?: { readonly certificate?: string; readonly conditions?: readonly Condition[] }
}

/** A right by which a request is approved by itself, and what is said then. */
export type Approval = { readonly subresource: string; readonly message: string }

/** What the decision about a request needs. */
export type SigningRequestSeen = {
  readonly request: SigningRequestObject
  /** The first of its possible approvals that who asks has the right to. */
  readonly approval: Approval | undefined
  readonly nowMs: number
}

const HOUR_MS = 3_600_000
const [SETTLED_MS, WAITING_MS] = [HOUR_MS, 24 * HOUR_MS]
const CLIENT_USAGES = ['client auth', 'digital signature']

/**
 * Pure. Approves the requests of kubelets for their own certificates, and drops requests that are of no use any more.
 *
 * @see k8s.io/kubernetes/pkg/controller/certificates
 */
export function decideSigningRequest({ request, approval, nowMs }: SigningRequestSeen): WorkloadDecision {
  if (request.metadata.deletionTimestamp !== undefined) return { kind: 'done', status: [] }
  const againAfterMs = endMs(request) - nowMs
  if (againAfterMs <= 0) return { kind: 'act', changes: [{ do: 'delete', object: request }] }
  // the right to it may come later
  const mayBeApproved = isOpen(request) && approvalsOf(request).length > 0
  if (mayBeApproved && approval === undefined) return { kind: 'wait', afterMs: BACKOFF, status: [] }
  if (!mayBeApproved || approval === undefined)
    return { kind: 'done', status: [], ...(Number.isFinite(againAfterMs) && { againAfterMs }) }
  const condition = { type: 'Approved', status: 'True', reason: 'AutoApproved', message: approval.message }
  const conditions = [...(request.status?.conditions ?? []), condition]
  const object = { ...request, status: { ...request.status, conditions } }
  return { kind: 'act', changes: [{ do: 'replace', object, subresource: 'approval' }] }
}

/** Whether nobody has said yet what is to become of a request. */
export function isOpen({ status }: SigningRequestObject): boolean {
  return !status?.certificate && !['Approved', 'Denied'].some((type) => conditionOf(status?.conditions, type))
}

/** The rights that may approve a request, the nearest first: to a certificate of one's own, or to that of any node. */
export function approvalsOf({ spec }: SigningRequestObject): readonly Approval[] {
  if (spec.signerName !== 'kubernetes.io/kube-apiserver-client-kubelet') return []
  const read = readSigningRequest(Buffer.from(spec.request, 'base64').toString('latin1'))
  if (!read || !read.commonName.startsWith('system:node:') || read.organizations.join() !== 'system:nodes') return []
  if (read.alternatives?.kinds.some((kind) => kind !== 'other')) return []
  const usages = new Set(spec.usages)
  usages.delete('key encipherment')
  if ([...usages].sort().join() !== CLIENT_USAGES.join()) return []
  const told = (what: string): string => `Auto approving ${what} certificate after SubjectAccessReview.`
  const own = { subresource: 'selfnodeclient', message: told('self kubelet client') }
  const any = { subresource: 'nodeclient', message: told('kubelet client') }
  return spec.username === read.commonName ? [own, any] : [any]
}

/** When a request is dropped. */
function endMs({ metadata, status }: SigningRequestObject): number {
  const conditions = (status?.conditions ?? []) as readonly (Condition & { readonly lastUpdateTime?: string })[]
  const since = (type: string, forMs: number): number => {
    const atMs = timeMs(conditions.find((each) => each.type === type)?.lastUpdateTime)
    return atMs === 0 ? Infinity : atMs + forMs
  }
  const isIssued = Boolean(status?.certificate)
  return Math.min(
    conditions.length === 0 ? timeMs(metadata.creationTimestamp) + WAITING_MS : Infinity,
    since('Denied', SETTLED_MS),
    since('Failed', SETTLED_MS),
    since('Approved', isIssued ? SETTLED_MS : WAITING_MS),
    isIssued && conditions.some(({ type }) => type === 'Approved') ? expiryMs(status?.certificate ?? '') : Infinity,
  )
}

function expiryMs(certificate: string): number {
  try {
    return Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo)
  } catch {
    return Infinity
  }
}
