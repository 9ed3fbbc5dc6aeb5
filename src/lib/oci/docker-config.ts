import { isRecord } from '../value/is-record.ts'
import type { Repository } from './reference.ts'
import { DOCKER_HUB } from './reference.ts'

/** Who one is for a registry. */
export type DockerLogin = { readonly username: string; readonly password: string }

const HUB_NAMES = new Set([DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io'])

/**
 * The login for an image among the `auths` of a configuration of docker: keys are hosts with or without a path, `*` stands for letters of one part of
 * the name. Of several that fit the one that sorts last counts, which is the longest of a host, as with kubelets and Flux.
 *
 * @returns undefined when none fits, or what fits holds no login
 * @see https://kubernetes.io/docs/concepts/containers/images/#config-json
 */
export function findLogin(auths: unknown, image: Repository): DockerLogin | undefined {
  return isRecord(auths) ? findAmong(Object.entries(auths), image) : undefined
}

/** The same among the entries of several configurations: of equal keys the first counts. */
export function findAmong(
  entries: readonly (readonly [string, unknown])[],
  image: Repository,
): DockerLogin | undefined {
  const fitting = entries
    .map(([key, entry]) => ({ key: plainKey(key), entry }))
    .filter(({ key }) => fits(key, image))
    .sort((a, b) => (a.key === b.key ? 0 : a.key < b.key ? 1 : -1))
  return fitting[0] && loginIn(fitting[0].entry)
}

/** Without scheme, and without what older versions of docker put behind the host. */
function plainKey(key: string): string {
  const [host = '', ...path] = key.replace(/^https?:\/\//, '').split('/')
  const rest = `/${path.join('/')}`.replace(/^\/v[12](?=\/|$)/, '')
  return rest === '/' || rest === '' ? host : host + rest
}

function fits(key: string, { host, repository }: Repository): boolean {
  const slash = key.indexOf('/')
  const [keyHost, path] = slash < 0 ? [key, ''] : [key.slice(0, slash), key.slice(slash)]
  if (!`/${repository}`.startsWith(path)) return false
  if (host === DOCKER_HUB && HUB_NAMES.has(keyHost)) return true
  const [wanted, given] = [splitHost(keyHost), splitHost(host)]
  if (wanted.port !== given.port || wanted.parts.length !== given.parts.length) return false
  return wanted.parts.every((part, i) => isGlobOf(part, given.parts[i] ?? ''))
}

function splitHost(host: string): { readonly parts: readonly string[]; readonly port: string } {
  const [, name = host, port = ''] = /^(.*):(\d+)$/.exec(host) ?? []
  return { parts: name.split('.'), port }
}

function isGlobOf(glob: string, text: string): boolean {
  const [first = '', ...rest] = glob.split('*')
  if (rest.length === 0) return glob === text
  if (!text.startsWith(first)) return false
  let at = first.length
  const last = rest.pop() ?? ''
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}

/** What stands in `auth` counts before the two fields. */
function loginIn(entry: unknown): DockerLogin | undefined {
  if (!isRecord(entry)) return undefined
  const { auth, username = '', password = '' } = lowerKeys(entry)
  if (typeof auth === 'string' && auth !== '') {
    const login = decodeAuth(auth)
    return typeof login === 'string' ? undefined : login
  }
  if (typeof username !== 'string' || typeof password !== 'string') return undefined
  return username === '' && password === '' ? undefined : { username, password }
}

/** Docker and Go know their fields in letters of any case. */
function lowerKeys(entry: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entry).map(([key, value]) => [key.toLowerCase(), value]))
}

/** What `auth` holds, the base64 of `username:password`; a text says, as Go does, why it holds nothing. */
export function decodeAuth(auth: string): DockerLogin | string {
  const fault = base64Fault(auth)
  if (fault !== undefined) return fault
  const [, username, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth, 'base64').toString('utf8')) ?? []
  if (username === undefined || password === undefined) return 'must be formatted as base64(username:password)'
  return { username, password }
}

/** Go passes over the ends of lines, and wants padding either whole or not at all. */
function base64Fault(text: string): string | undefined {
  const isPadded = text.trim().endsWith('=')
  const faultAt = (byte: number): string => `illegal base64 data at input byte ${byte}`
  let letters = 0
  for (const { 0: letter, index } of text.matchAll(/[^\r\n]/g)) {
    if (/[A-Za-z0-9+/]/.test(letter)) {
      letters++
      continue
    }
    if (!isPadded || letter !== '=' || letters % 4 < 2) return faultAt(index)
    const padding = new RegExp(`^(?:=[\\r\\n]*){1,${4 - (letters % 4)}}`).exec(text.slice(index))?.[0] ?? ''
    const end = index + padding.length
    if (padding.replace(/[^=]/g, '').length < 4 - (letters % 4)) return faultAt(end < text.length ? end - 1 : end)
    return end < text.length ? faultAt(end) : undefined
  }
  const rest = letters % 4
  return rest === 1 || (isPadded && rest > 0) ? faultAt(text.length - rest) : undefined
}
