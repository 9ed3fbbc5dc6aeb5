import { goQuote } from '../value/go-quote.ts'
import { goUrlFault } from '../value/go-url-fault.ts'
import { isRecord } from '../value/is-record.ts'
import { decodeAuth, type DockerLogin, findAmong } from './docker-config.ts'
import type { Repository } from './reference.ts'

/** A Secret that may hold logins for registries. */
export type PullSecret = { readonly type: string; readonly data: Readonly<Record<string, Buffer>> }

/** Says what is wrong with a pull secret, in the words of Flux. */
export class PullSecretError extends Error {
  override readonly name = 'PullSecretError'
}

/**
 * The login for an image among pull secrets, as Flux finds it: only the two types of Kubernetes count, the longest key of all that fit, and one entry
 * that cannot be read spoils all.
 *
 * @throws PullSecretError
 */
export function findPullLogin(secrets: readonly PullSecret[], image: Repository): DockerLogin | undefined {
  return findAmong(secrets.flatMap(entriesOf), image)
}

function entriesOf({ type, data }: PullSecret): readonly (readonly [string, unknown])[] {
  const isOld = type === 'kubernetes.io/dockercfg'
  if (!isOld && type !== 'kubernetes.io/dockerconfigjson') return []
  const text = data[isOld ? '.dockercfg' : '.dockerconfigjson']?.toString('utf8') ?? ''
  if (text === '') return []
  const whole = asObject(parse(text), isOld ? `value of type ${AUTHS}` : 'value of type kubernetes.dockerConfigJSON')
  const auths = isOld
    ? whole
    : asObject(fieldOf(whole, 'auths'), `struct field dockerConfigJSON.Auths of type ${AUTHS}`)
  const place = isOld ? 'value' : 'struct field dockerConfigJSON.Auths'
  const entries = Object.entries(auths)
  for (const [, entry] of entries) checkLogin(asObject(entry, `${place} of type authn.authConfig`), isOld)
  for (const [key] of entries) checkKey(key)
  return entries
}

const AUTHS = 'map[string]authn.AuthConfig'

/** The API server has seen that it is JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new PullSecretError('the configuration of docker is not JSON')
  }
}

/** As Go takes it: nothing for null, and no other kind of value. */
function asObject(value: unknown, goType: string): Record<string, unknown> {
  if (value === undefined || value === null) return {}
  if (!isRecord(value)) throw new PullSecretError(`json: cannot unmarshal ${goKind(value)} into Go ${goType}`)
  return value
}

function goKind(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
}

/** Go knows its fields in letters of any case. */
function fieldOf(object: Record<string, unknown>, name: string): unknown {
  return object[name] ?? Object.entries(object).find(([key]) => key.toLowerCase() === name)?.[1]
}

function checkLogin(entry: Record<string, unknown>, isOld: boolean): void {
  for (const field of ['username', 'password', 'auth']) {
    const value = fieldOf(entry, field) ?? ''
    if (typeof value === 'string') continue
    const place = `${isOld ? 'authConfig' : 'dockerConfigJSON.Auths'}.${field}`
    throw new PullSecretError(`json: cannot unmarshal ${goKind(value)} into Go struct field ${place} of type string`)
  }
  const auth = fieldOf(entry, 'auth')
  const login = typeof auth === 'string' && auth !== '' ? decodeAuth(auth) : undefined
  if (typeof login === 'string') throw new PullSecretError(`unable to decode auth field: ${login}`)
}

function checkKey(key: string): void {
  const url = /^https?:\/\//.test(key) ? key : `https://${key}`
  const fault = goUrlFault(url)
  if (fault !== undefined)
    throw new PullSecretError(`Entry ${goQuote(url)} in dockercfg invalid (parse ${goQuote(url)}: ${fault})`)
}
