import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { checkClaims } from '../../../lib/jwt/verify.ts'
import { asJson, isObject, type JsonObject, listOf, numberOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { User } from '../request/user.ts'
import type { Environment } from '../environment.ts'
import { ISSUER } from './signing.ts'

/** What a token says about its bearer, or why it says nothing. */
export type Reviewed =
  | { readonly user: User; readonly audiences: readonly string[]; readonly error?: undefined }
  | { readonly user: undefined; readonly audiences: readonly string[]; readonly error: string }

/** Why a token of ours is not good, in the real server's words. */
class BadToken extends Error {}

const UNKNOWN = 'invalid bearer token'

/** Reads a service account's token. Without `audiences` it must be meant for this server. */
export function reviewToken(env: Environment, token: string, audiences: readonly string[]): Reviewed {
  try {
    const claims = claimsOf(env, token)
    if (claims === undefined) return { user: undefined, audiences: [], error: UNKNOWN }
    return readClaims(env, claims, audiences.length === 0 ? [ISSUER] : audiences)
  } catch (error) {
    if (!(error instanceof BadToken)) throw error
    return { user: undefined, audiences: [], error: `[${UNKNOWN}, ${error.message}]` }
  }
}

/** The claims of a token that says to be ours; its signature is good and its time has not passed. */
function claimsOf(env: Environment, token: string): JsonObject | undefined {
  const said = payloadOf(token)
  if (said === undefined || said.iss !== ISSUER) return undefined
  const [audience = ''] = listOf(said.aud).map(stringOf)
  try {
    const claims = env.signer.claimsOf(token)
    checkClaims(claims, { issuers: [ISSUER], audience, nowMs: env.nowMs() })
    return objectOf(asJson(claims))
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const isOver = (numberOf(said.exp) ?? 0) * 1000 <= env.nowMs()
    throw new BadToken(isOver ? 'service account token has expired' : error.message)
  }
}

function payloadOf(token: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function readClaims(env: Environment, claims: JsonObject, wanted: readonly string[]): Reviewed {
  const own = listOf(claims.aud).map(stringOf)
  const audiences = wanted.filter((audience) => own.includes(audience))
  if (audiences.length === 0)
    throw new BadToken(`token audiences ${quoted(own)} is invalid for the target audiences ${quoted(wanted)}`)
  const bound = objectOf(claims['kubernetes.io'])
  const namespace = stringOf(bound.namespace)
  const { name, uid } = objectOf(bound.serviceaccount)
  checkAccount(env, namespace, stringOf(name), stringOf(uid))
  for (const kind of ['secret', 'pod', ...(isObject(bound.pod) ? [] : ['node'])])
    if (isObject(bound[kind])) checkBound(env, kind, kind === 'node' ? '' : namespace, bound[kind])
  const extra = {
    'authentication.kubernetes.io/credential-id': [`JTI=${stringOf(claims.jti)}`],
    ...extraOf('node', bound),
    ...extraOf('pod', bound),
  }
  return { user: { ...accountUser(namespace, stringOf(name)), uid: stringOf(uid), extra }, audiences }
}

const quoted = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`

/** The name and groups of a service account. */
export function accountUser(namespace: string, name: string): User {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  }
}

function checkAccount(env: Environment, namespace: string, name: string, uid: string): void {
  const account = env.store.get('/serviceaccounts', namespace, name)
  if (account === undefined) throw new BadToken(`serviceaccounts ${JSON.stringify(name)} not found`)
  const own = account.metadata.uid ?? ''
  if (own !== uid) throw new BadToken(`service account UID (${own}) does not match claim (${uid})`)
  if (account.metadata.deletionTimestamp !== undefined)
    throw new BadToken(`service account ${namespace}/${name} has been deleted`)
}

/** A token ends with what it is bound to. */
function checkBound(env: Environment, kind: string, namespace: string, { name, uid }: JsonObject): void {
  const found = env.store.get(`/${kind}s`, namespace, stringOf(name))
  const isGone =
    found?.metadata.deletionTimestamp !== undefined &&
    Date.parse(found.metadata.deletionTimestamp) + 60_000 < env.nowMs()
  if (found === undefined || isGone) throw new BadToken('service account token has been invalidated')
  const own = found.metadata.uid ?? ''
  if (own !== uid)
    throw new BadToken(`${kind} UID (${own}) does not match service account ${kind} ref claim (${stringOf(uid)})`)
}

function extraOf(kind: 'pod' | 'node', bound: JsonObject): Record<string, readonly string[]> {
  if (!isObject(bound[kind])) return {}
  const { name, uid } = bound[kind]
  return {
    [`authentication.kubernetes.io/${kind}-name`]: [stringOf(name)],
    ...(uid === undefined ? {} : { [`authentication.kubernetes.io/${kind}-uid`]: [stringOf(uid)] }),
  }
}
