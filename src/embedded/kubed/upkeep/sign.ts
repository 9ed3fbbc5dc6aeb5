import { clone, type JsonObject, listOf, numberOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { signRequest } from '../../../lib/x509/certificate.ts'
import { readSigningRequest, type SigningRequest } from '../../../lib/x509/request.ts'
import { type Environment, timestamp } from '../environment.ts'
import { type Obj, specOf } from '../object.ts'
import { trackUpdate } from '../ownership/managed-fields.ts'
import { CLIENT_SIGNER, SIGNING_REQUESTS } from '../resources/resource.ts'
import { own } from '../../../lib/value/own.ts'

const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet'
const KUBELET_SERVING = 'kubernetes.io/kubelet-serving'
const [CLIENT, SERVER] = ['client auth', 'server auth']
/** Bits of the key's usage by their names in a request. */
const KEY_USAGES: Readonly<Record<string, number>> = {
  signing: 0,
  'digital signature': 0,
  'key encipherment': 2,
}
const PURPOSES: Readonly<Record<string, string>> = { [SERVER]: '1.3.6.1.5.5.7.3.1', [CLIENT]: '1.3.6.1.5.5.7.3.2' }

const MINUTE_MS = 60_000
/** Clocks differ: a certificate holds a little before it is made. */
const BACKDATE_MS = 5 * MINUTE_MS
const LONGEST_MS = 365 * 24 * 60 * MINUTE_MS
const SHORTEST_MS = 10 * MINUTE_MS
const SHORT_MS = 8 * 60 * MINUTE_MS

/**
 * Signs an approved request for a certificate of one of our own signers, as kube-controller-manager does: the key of the authority is the server's.
 *
 * @see k8s.io/kubernetes/pkg/controller/certificates/signer
 */
export function signApproved(env: Environment, object: Obj): void {
  const spec = specOf(object)
  const status = objectOf(object.status)
  const is = (wanted: string): boolean =>
    objectsOf(status.conditions).some(({ type, status }) => type === wanted && status === 'True')
  const signer = stringOf(spec.signerName)
  if (![CLIENT_SIGNER, KUBELET_CLIENT, KUBELET_SERVING].includes(signer)) return
  if (!is('Approved') || is('Failed') || is('Denied') || stringOf(status.certificate) !== '') return
  const request = readSigningRequest(Buffer.from(stringOf(spec.request), 'base64').toString('latin1'))
  if (request?.isSigned !== true) return
  const usages = listOf(spec.usages).map(stringOf)
  const why = faultOf(signer, request, usages)
  if (why !== undefined) return writeStatus(env, object, failed(status, why, timestamp(env.nowMs())))
  const certificate = issue(env, request, usages, numberOf(spec.expirationSeconds))
  writeStatus(env, object, { ...status, certificate: Buffer.from(certificate).toString('base64') })
}

function failed(status: JsonObject, message: string, now: string): JsonObject {
  const condition = {
    type: 'Failed',
    status: 'True',
    reason: 'SignerValidationFailure',
    message,
    lastUpdateTime: now,
    lastTransitionTime: now,
  }
  return { ...status, conditions: [...objectsOf(status.conditions), condition] }
}

/** What a signer does not sign. @see k8s.io/kubernetes/pkg/apis/certificates/helpers.go */
function faultOf(signer: string, request: SigningRequest, usages: readonly string[]): string | undefined {
  if (signer === CLIENT_SIGNER) {
    const odd = usages.find((each) => ![CLIENT, 'digital signature', 'key encipherment'].includes(each))
    if (odd !== undefined) return `invalid usage for client certificate: ${odd}`
    return usages.includes(CLIENT) ? undefined : `missing required usage for client certificate: ${CLIENT}`
  }
  const { organizations, commonName } = request
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes')
    return 'subject organization is not system:nodes'
  const purpose = signer === KUBELET_SERVING ? SERVER : CLIENT
  const odd = purpose === SERVER ? oddNameOfServer(request) : oddNameOfClient(request)
  if (odd !== undefined) return odd
  const needed = ['digital signature', purpose]
  const isNode = commonName.startsWith('system:node:')
  const hasUsages =
    needed.every((each) => usages.includes(each)) &&
    usages.every((each) => needed.includes(each) || each === 'key encipherment')
  const wrongUsages = `usages did not match [${['digital signature', 'key encipherment', purpose].sort().join(' ')}]`
  const wrongName = 'subject common name does not begin with system:node:'
  if (purpose === SERVER && !hasUsages) return wrongUsages
  if (!isNode) return wrongName
  return hasUsages ? undefined : wrongUsages
}

function oddNameOfServer({ alternatives }: SigningRequest): string | undefined {
  const kinds = alternatives?.kinds ?? []
  if (!kinds.includes('dns') && !kinds.includes('ip')) return 'DNS or IP subjectAltName is required'
  if (kinds.includes('email')) return 'Email subjectAltNames are not allowed'
  return kinds.includes('uri') ? 'URI subjectAltNames are not allowed' : undefined
}

const ALTERNATIVES = [
  ['dns', 'DNS'],
  ['email', 'Email'],
  ['ip', 'IP'],
  ['uri', 'URI'],
] as const

function oddNameOfClient({ alternatives }: SigningRequest): string | undefined {
  const odd = ALTERNATIVES.find(([kind]) => alternatives?.kinds.includes(kind))
  return odd === undefined ? undefined : `${odd[1]} subjectAltNames are not allowed`
}

function issue(env: Environment, request: SigningRequest, usages: readonly string[], seconds = Infinity): string {
  const lastsMs = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, seconds * 1000))
  const now = env.nowMs()
  return signRequest({
    request,
    issuer: env.authority,
    serial: env.random(16),
    notBeforeMs: now - BACKDATE_MS,
    notAfterMs: now + lastsMs - (lastsMs < SHORT_MS ? 0 : BACKDATE_MS),
    keyUsages: [...new Set(usages.flatMap((each) => own(KEY_USAGES, each) ?? []))],
    purposes: usages.flatMap((each) => own(PURPOSES, each) ?? []),
  })
}

function writeStatus(env: Environment, object: Obj, status: JsonObject): void {
  const resource = env.registry.byStorageKey(SIGNING_REQUESTS)
  const next = clone({ ...object, status })
  const writer = { manager: 'kube-controller-manager', now: timestamp(env.nowMs()), subresource: 'status' }
  if (resource !== undefined) trackUpdate(resource, object, next, undefined, writer)
  env.store.put(SIGNING_REQUESTS, next)
}
