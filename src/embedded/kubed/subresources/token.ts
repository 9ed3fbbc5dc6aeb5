import { isObject, type Json, type JsonObject, listOf, numberOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import { accountUser } from '../authentication/account-tokens.ts'
import { ISSUER } from '../authentication/signing.ts'
import { bodyKindOf, decodeBodyKind } from '../decoding/body-kind.ts'
import { shapeLikeGo } from '../decoding/go-shape.ts'
import { type Environment, timestamp } from '../environment.ts'
import { badRequest, conflict, type FieldError, Fault, invalid, notFound } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'
import { trackUpdate } from '../ownership/managed-fields.ts'
import { writerOf } from '../verbs/writer.ts'

const GROUP = 'authentication.k8s.io'
const REQUEST = { group: GROUP, kind: 'TokenRequest', plural: 'TokenRequest' }
const SHORTEST_SECONDS = 600
const LONGEST_SECONDS = 2 ** 32
/** What the node asks for: such a token lives a year, so that programs which never read it again go on working. */
const WARN_ONLY_SECONDS = 3607
const EXTENDED_SECONDS = 365 * 24 * 3600

/**
 * POST of serviceaccounts/token: a signed token for the account.
 *
 * @throws Fault 400, 404, 409, 422
 * @see https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
 */
export function requestToken(env: Environment, call: Call, account: Obj): JsonObject {
  const request = decodeRequest(env, call)
  const { metadata } = request
  const spec = objectOf(request.spec)
  placeRequest(call, request, account)
  if (listOf(spec.audiences).length === 0) spec.audiences = [ISSUER]
  metadata.creationTimestamp = timestamp(env.nowMs())
  checkRequest(spec)
  const seconds = numberOf(spec.expirationSeconds) ?? 0
  const bound = boundTo(env, call, spec.boundObjectRef)
  const token = env.signer.sign(claimsOf(env, account, listOf(spec.audiences).map(stringOf), seconds, bound))
  const expirationTimestamp = timestamp(env.nowMs() + seconds * 1000)
  return { ...request, spec, status: { token, expirationTimestamp } }
}

function decodeRequest(env: Environment, call: Call): Obj {
  const request = decodeBodyKind(env, call)
  const spec = isObject(request.spec) ? request.spec : {}
  spec.expirationSeconds ??= 3600
  request.spec = spec
  delete request.status
  const kind = bodyKindOf(call)
  trackUpdate(kind, undefined, request, undefined, writerOf(env, call))
  shapeLikeGo(kind.type, request)
  spec.boundObjectRef ??= null
  return request
}

/** The request is named after its account. */
function placeRequest(call: Call, { metadata }: Obj, account: Obj): void {
  for (const [field, own] of [
    ['name', call.name],
    ['namespace', call.namespace],
  ] as const) {
    const said = stringOf(metadata[field])
    if (said !== '' && said !== own)
      throw invalid(REQUEST, call.name, [
        {
          field: `metadata.${field}`,
          type: 'Invalid',
          message: `Invalid value: ${JSON.stringify(said)}: must match the service account ${field} if specified`,
        },
      ])
    metadata[field] = own
  }
  const { uid = '' } = account.metadata
  const said = stringOf(metadata.uid)
  if (said !== '' && said !== uid)
    throw conflict(
      REQUEST,
      call.name,
      `the UID in the token request (${said}) does not match the UID of the service account (${uid})`,
    )
  metadata.uid = uid
}

function checkRequest(spec: JsonObject): void {
  const errors: FieldError[] = []
  const seconds = numberOf(spec.expirationSeconds) ?? 0
  const refuse = (field: string, value: string, why: string): void => {
    errors.push({ field: `spec.${field}`, type: 'Invalid', message: `Invalid value: ${value}: ${why}` })
  }
  if (seconds < SHORTEST_SECONDS)
    refuse('expirationSeconds', String(seconds), 'may not specify a duration less than 10 minutes')
  if (seconds > LONGEST_SECONDS)
    refuse('expirationSeconds', String(seconds), 'may not specify a duration larger than 2^32 seconds')
  if (errors.length > 0) throw invalid(REQUEST, '', errors)
}

type Bound = { readonly claims: JsonObject; readonly isPod: boolean }

/** What the token lives no longer than. */
function boundTo(env: Environment, call: Call, ref: Json | undefined): Bound {
  if (!isObject(ref)) return { claims: {}, isPod: false }
  const kind = stringOf(ref.kind)
  const version = stringOf(ref.apiVersion)
  const plural = { Pod: 'pods', Node: 'nodes', Secret: 'secrets' }[kind]
  // Whichever version of it is said.
  if (plural === undefined || version.includes('/')) throw unbindable(version, kind)
  const found = env.store.get(`/${plural}`, kind === 'Node' ? '' : call.namespace, stringOf(ref.name))
  if (found === undefined) throw notFound({ group: '', kind, plural }, stringOf(ref.name))
  const { name, uid = '' } = found.metadata
  if (kind === 'Pod' && (stringOf(specOf(found).serviceAccountName) || 'default') !== call.name)
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(call.name)} to pod running with different serviceaccount name.`,
    )
  const said = stringOf(ref.uid)
  if (said !== '' && said !== uid)
    throw conflict(
      { group: '', kind, plural: kind },
      name,
      `the UID in the bound object reference (${said}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  const claims = { [kind.toLowerCase()]: { name, uid }, ...(kind === 'Pod' ? nodeOf(env, found) : {}) }
  return { claims, isPod: kind === 'Pod' }
}

function unbindable(apiVersion: string, kind: string): Fault {
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  return badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`)
}

function nodeOf(env: Environment, pod: Obj): JsonObject {
  const name = stringOf(specOf(pod).nodeName)
  if (name === '') return {}
  const uid = env.store.get('/nodes', '', name)?.metadata.uid
  return { node: { name, ...(uid === undefined ? {} : { uid }) } }
}

function claimsOf(
  env: Environment,
  { metadata }: Obj,
  audiences: readonly string[],
  seconds: number,
  { claims, isPod }: Bound,
): JsonObject {
  const { name, namespace = '', uid = '' } = metadata
  const now = Math.floor(env.nowMs() / 1000)
  const isExtended = isPod && seconds === WARN_ONLY_SECONDS && audiences.every((audience) => audience === ISSUER)
  return {
    aud: [...audiences],
    exp: now + (isExtended ? EXTENDED_SECONDS : seconds),
    iat: now,
    iss: ISSUER,
    jti: env.uuid(),
    'kubernetes.io': {
      namespace,
      ...claims,
      serviceaccount: { name, uid },
      ...(isExtended ? { warnafter: now + seconds } : {}),
    },
    nbf: now,
    sub: accountUser(namespace, name).name,
  }
}
