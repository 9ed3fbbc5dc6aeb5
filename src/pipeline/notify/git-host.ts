import { SluiceError } from '../../lib/error/sluice-error.ts'
import { signJwt } from '../../lib/jwt/sign.ts'
import type { Message } from './message.ts'
import { type HookAnswer, type HookRequest, type Parcel, unusable } from './hook-request.ts'

/** A repository at a Git host: `https://host` and `owner/repo`. */
export type GitAddress = { readonly host: string; readonly path: string }

/**
 * Reads the address of a repository: https://, ssh:// or git@host:path.
 *
 * @throws SluiceError NOTIFY_PROVIDER
 */
export function parseGitAddress({ provider }: Parcel): GitAddress {
  const { address } = provider
  const scp = /^(?:[\w.-]+@)?([\w.-]+):(?!\/\/)(.+)$/.exec(address)
  const text = scp ? `ssh://${scp[1]}/${scp[2]}` : address
  if (!URL.canParse(text) || !/^(https?|ssh):/.test(text))
    throw unusable(provider, `failed parsing URL "${address}"`, 'spec.address')
  const url = new URL(text.replace(/^ssh:/, 'https:'))
  const path = url.pathname.replace(/^\/+/, '').replace(/\.git$/, '')
  return { host: `${text.startsWith('http:') ? 'http' : 'https'}://${url.host}`, path }
}

/** The parts of a path, of which there must be so many. */
export function partsOf({ provider }: Parcel, { path }: GitAddress, count: number): readonly string[] {
  const parts = path.split('/')
  // Flux says it of GitHub in other words than of the rest
  const id = provider.type.startsWith('github') ? `: '${path}'` : ` ${JSON.stringify(path)}`
  if (parts.length !== count || parts.includes(''))
    throw unusable(provider, `invalid repository id${id}`, 'spec.address')
  return parts.map(encodeURIComponent)
}

/** The token of the secret; its password counts, too. */
export function tokenOf({ provider, secret }: Parcel, what: string): string {
  const token = secret.token ?? secret.password ?? ''
  if (token === '') throw unusable(provider, `${what} token cannot be empty`, 'spec.secretRef')
  return token
}

/**
 * The commit that a message is about.
 *
 * @throws SluiceError NOTIFY_PROVIDER when it names none
 */
export function commitOf({ metadata = {} }: Message): string {
  const revision = metadata['commit'] ?? metadata['originRevision'] ?? metadata['revision']
  if (revision === undefined) throw new SluiceError('NOTIFY_PROVIDER', 'missing revision metadata')
  const hash = /(?:^|[@/])(?:sha1:|sha256:)?([0-9a-f]{40}|[0-9a-f]{64})$/.exec(revision)?.[1]
  if (hash === undefined)
    throw new SluiceError('NOTIFY_PROVIDER', `failed to extract commit hash from '${revision}' revision`)
  return hash
}

/**
 * Reads an answer that must be JSON.
 *
 * @throws SluiceError NOTIFY_FAILED (retry: backoff)
 */
export function parseAnswer({ text }: HookAnswer, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SluiceError('NOTIFY_FAILED', `could not read ${what}: the answer is not JSON`, { retry: 'backoff' })
  }
}

/** A GET of JSON. */
export function get(url: string, headers: Readonly<Record<string, string>>): HookRequest {
  return { method: 'GET', url, headers, body: '' }
}

/** GitHub's API, at github.com or a server of one's own, with the headers that say who asks. */
export type GitHubApi = {
  readonly base: string
  readonly headers: Readonly<Record<string, string>>
  readonly app: string
}

/**
 * What Flux asks of a Provider for GitHub before anything else.
 *
 * @throws SluiceError NOTIFY_PROVIDER without a token, or the whole of what a GitHub App logs in with
 */
export function checkGitHub({ provider, secret: { token, password, githubApp } }: Parcel): void {
  const unfit = (message: string) => unusable(provider, message, 'spec.secretRef')
  if ((token ?? password ?? '') !== '') return
  if (!githubApp) throw unfit('github token or github app details must be specified')
  if (githubApp.installation === '')
    throw unfit('app installation owner or ID must be provided to use github app authentication')
  if (githubApp.privateKey === '') throw unfit('private key must be provided to use github app authentication')
}

/** Opens GitHub's API with a token, or as a GitHub App: then a token of the installation is asked for first. */
export function* openGitHub(parcel: Parcel): Generator<HookRequest, GitHubApi, HookAnswer> {
  const { secret, traps } = parcel
  checkGitHub(parcel)
  const { host } = parseGitAddress(parcel)
  const base = host === 'https://github.com' ? 'https://api.github.com' : `${host}/api/v3`
  const agent: Record<string, string> = traps === 'flux' ? { 'user-agent': 'go-github/v64.0.0' } : {}
  const common = { ...agent, accept: 'application/vnd.github.v3+json', 'x-github-api-version': '2022-11-28' }
  const token = secret.token ?? secret.password ?? ''
  if (token !== '') return { base, headers: { ...common, authorization: `Bearer ${token}` }, app: '' }
  const installation = secret.githubApp?.installation ?? ''
  const headers = { ...common, authorization: `Bearer ${appToken(parcel)}` }
  const url = `${base}/app/installations/${encodeURIComponent(installation)}/access_tokens`
  const granted = parseAnswer(yield { method: 'POST', url, headers, body: '' }, 'the token of the installation')
  const app = parseAnswer(yield get(`${base}/app`, headers), 'the app')
  return { base, headers: { ...common, authorization: `Bearer ${textOf(granted, 'token')}` }, app: textOf(app, 'slug') }
}

/** A text field of an answer; '' when there is none. */
export function textOf(value: unknown, key: string): string {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  return typeof found === 'string' ? found : ''
}

/** The token of a GitHub App itself, good for nine minutes. */
function appToken({ provider, secret, nowMs }: Parcel): string {
  const { id, privateKey } = secret.githubApp ?? { id: '', privateKey: '' }
  const nowSeconds = Math.floor(nowMs / 1000)
  const token = signJwt(privateKey, { iat: nowSeconds - 60, exp: nowSeconds + 540, iss: id })
  if (token === undefined)
    throw unusable(provider, 'the private key of the GitHub App cannot be used', 'spec.secretRef')
  return token
}
