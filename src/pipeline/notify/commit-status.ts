import { createHash } from 'node:crypto'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { read, readText } from '../../lib/kube/read.ts'
import { objectFault } from './object-fault.ts'
import { checkGitHub, commitOf, get, openGitHub, parseAnswer, parseGitAddress, partsOf, tokenOf } from './git-host.ts'
import { basic, type Converse, isProgress, nameAndReason, type Parcel, post, unusable } from './hook-request.ts'

/** How Gitea's client calls its answer about the version. */
const VERSION = 'struct { Version string "json:\\"version\\"" }'

/** Receivers that show a status beside a commit. Each looks first, and says nothing that is said already. */
export const COMMIT_STATUSES: Readonly<Record<string, Converse>> = {
  github: function* (parcel) {
    const { message, commitStatus } = parcel
    checkGitHub(parcel)
    if (isProgress(message)) return
    const [owner, repo] = partsOf(parcel, parseGitAddress(parcel), 2)
    const commit = commitOf(message)
    const { base, headers } = yield* openGitHub(parcel)
    const state = message.severity === 'error' ? 'failure' : 'success'
    const status = { state, description: nameAndReason(message).words, context: commitStatus }
    const listed = yield get(`${base}/repos/${owner}/${repo}/commits/${commit}/statuses?per_page=50`, headers)
    if (isSaid(parseAnswer(listed, 'commit statuses'), status, 'state')) return
    yield post(`${base}/repos/${owner}/${repo}/statuses/${commit}`, status, headers)
  },
  gitlab: function* (parcel) {
    const { message, commitStatus, traps } = parcel
    const token = tokenOf(parcel, 'gitlab')
    if (isProgress(message)) return
    const { host, path } = parseGitAddress(parcel)
    const commit = commitOf(message)
    const agent: Record<string, string> = traps === 'flux' ? { 'user-agent': 'go-gitlab' } : {}
    const headers = { ...agent, accept: 'application/json', 'private-token': token }
    const project = `${host}/api/v4/projects/${encodeURIComponent(path).replaceAll('.', '%2E')}`
    const state = message.severity === 'error' ? 'failed' : 'success'
    const description = nameAndReason(message).words
    const query = new URLSearchParams({ name: commitStatus }).toString()
    const listed = yield get(`${project}/repository/commits/${commit}/statuses?${query}`, headers)
    const found = parseAnswer(listed, 'commit statuses')
    const status = { status: state, description, name: commitStatus, sha: commit }
    if (
      Array.isArray(found) &&
      found.some((one) => Object.entries(status).every(([key, text]) => readText(one, key) === text))
    )
      return
    yield post(`${project}/statuses/${commit}`, { state, name: commitStatus, description }, headers)
  },
  gitea: function* (parcel) {
    const { message, commitStatus, provider, traps } = parcel
    const { host, path } = parseGitAddress(parcel)
    const [owner, repo] = partsOf(parcel, { host, path }, 2)
    const headers = { authorization: `token ${tokenOf(parcel, 'gitea')}` }
    // Flux's client asks for the version before anything else, and needs an answer that is one.
    const fault =
      traps === 'flux' ? objectFault((yield get(`${host}/api/v1/version`, headers)).text, VERSION) : undefined
    if (fault !== undefined) throw unusable(provider, `failed creating Gitea client: ${fault}`, 'spec.address')
    const commit = commitOf(message)
    const state = isProgress(message) ? 'pending' : message.severity === 'error' ? 'failure' : 'success'
    const status = { state, target_url: '', description: nameAndReason(message).words, context: commitStatus }
    const repository = `${host}/api/v1/repos/${owner}/${repo}`
    // Flux's client says of a list, too, what it would send.
    const listing = traps === 'flux' ? { ...headers, 'content-type': 'application/json' } : headers
    const listed = yield get(`${repository}/commits/${commit}/statuses?limit=50&page=1`, listing)
    if (isSaid(parseAnswer(listed, 'commit statuses'), status, 'status', 'state')) return
    yield post(`${repository}/statuses/${commit}`, status, headers)
  },
  bitbucket,
  bitbucketserver: bitbucketServer,
  azuredevops: function* (parcel) {
    const { message, commitStatus } = parcel
    const token = tokenOf(parcel, 'azure devops')
    const { host, path } = parseGitAddress(parcel)
    const [organization, project, , repo] = partsOf(parcel, { host, path }, 4)
    if (isProgress(message)) return
    const commit = commitOf(message)
    const headers = { ...basic('', token), accept: 'application/json;api-version=6.0' }
    const summary = message.metadata?.['summary']
    const context = { genre: summary === undefined ? 'fluxcd' : `fluxcd:${summary}`, name: commitStatus }
    const state = message.severity === 'error' ? 'error' : 'succeeded'
    const status = { context, description: nameAndReason(message).words, state }
    const url = `${host}/${organization}/${project}/_apis/git/repositories/${repo}/commits/${commit}/statuses`
    const listed = read(parseAnswer(yield get(url, headers), 'commit statuses'), 'value')
    const latest = listOf(listed).find(
      (one) => readText(one, 'context', 'name') === context.name && readText(one, 'context', 'genre') === context.genre,
    )
    if (latest && readText(latest, 'state') === state && readText(latest, 'description') === status.description) return
    yield post(url, status, { ...headers, 'content-type': 'application/json;charset=utf-8' })
  },
}

/** Whether the newest status of that name says the same: hosts list the newest first. */
function isSaid(
  listed: unknown,
  status: { readonly state: string; readonly description: string; readonly context: string },
  ...stateKeys: readonly string[]
): boolean {
  const newest = listOf(listed).find((one) => readText(one, 'context') === status.context)
  if (newest === undefined) return false
  return (
    stateKeys.some((key) => readText(newest, key) === status.state) &&
    readText(newest, 'description') === status.description
  )
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}

function* bitbucket(parcel: Parcel): ReturnType<Converse> {
  const { message, commitStatus, provider } = parcel
  const [owner, repo] = partsOf(parcel, parseGitAddress(parcel), 2)
  const [username = '', password] = tokenOf(parcel, 'bitbucket').split(/:(.*)/s)
  if (password === undefined)
    throw unusable(provider, 'invalid token format, expected to be <user>:<password>', 'spec.secretRef')
  if (isProgress(message)) return
  const headers = basic(username, password)
  const { name, words } = nameAndReason(message)
  const state = message.severity === 'error' ? 'FAILED' : 'SUCCESSFUL'
  const status = { key: sha1(commitStatus), url: 'https://bitbucket.org', state, name, description: words }
  const url = `https://api.bitbucket.org/2.0/repositories/${owner}/${repo}/commit/${commitOf(message)}/statuses/build`
  const shown = yield { ...get(`${url}/${status.key}`, headers), alsoTaken: [404] }
  const present = shown.status === 404 ? undefined : parseAnswer(shown, 'the commit status')
  if (readText(present, 'state') === state && readText(present, 'description') === words) return
  yield post(url, status, headers)
}

function* bitbucketServer(parcel: Parcel): ReturnType<Converse> {
  const { message, commitStatus, provider, secret, traps } = parcel
  const { address, username } = provider
  const [, context = '', project = '', repo = ''] =
    /^(https?:\/\/[^/]+(?:\/.*)?)\/scm\/([^/]+)\/([^/]+?)(?:\.git)?$/.exec(address) ?? []
  if (context === '')
    throw unusable(
      provider,
      'could not parse git address: supplied provider address is not http(s) git clone url',
      'spec.address',
    )
  const token = secret.token ?? ''
  const login: Record<string, string> =
    token === ''
      ? basic(secret.username ?? (username || undefined), secret.password)
      : { authorization: `Bearer ${token}` }
  if (login['authorization'] === undefined)
    throw unusable(
      provider,
      'invalid credentials, expected to be one of username/password or API Token',
      'spec.secretRef',
    )
  if (isProgress(message)) return
  const headers = { ...login, 'x-atlassian-token': 'no-check', 'x-requested-with': 'XMLHttpRequest' }
  const { name: object, words } = nameAndReason(message)
  const name = `${object} [${words}]`
  const state = message.severity === 'error' ? 'FAILED' : 'SUCCESSFUL'
  const status = { description: words, key: sha1(commitStatus), name, state, url: address }
  const url = `${context}/rest/api/latest/projects/${project}/repos/${repo}/commits/${commitOf(message)}/builds`
  const shown = yield { ...get(`${url}?key=${status.key}`, headers), alsoTaken: [404] }
  const fault =
    traps === 'flux' && shown.status === 200 ? objectFault(shown.text, 'notifier.bbServerBuildStatus') : undefined
  if (fault !== undefined)
    throw new SluiceError(
      'NOTIFY_FAILED',
      `could not get existing commit status: could not unmarshal json response body for duplicate commit status: ${fault}`,
      { retry: 'spec' },
    )
  const present = shown.status === 404 ? undefined : parseAnswer(shown, 'the commit status')
  const isSame = (['key', 'state', 'description', 'name'] as const).every(
    (key) => readText(present, key) === status[key],
  )
  if (!isSame) yield post(url, status, headers)
}
