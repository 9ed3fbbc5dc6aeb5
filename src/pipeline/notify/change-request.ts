import { SluiceError } from '../../lib/error/sluice-error.ts'
import { read, readText } from '../../lib/kube/read.ts'
import { get, openGitHub, parseAnswer, parseGitAddress, partsOf, textOf, tokenOf } from './git-host.ts'
import { type Converse, type HookAnswer, type HookRequest, type Parcel, post, unusable } from './hook-request.ts'
import { markdownOf } from './markdown.ts'
import { objectFault } from './object-fault.ts'

const REACTIONS = 'application/vnd.github.squirrel-girl-preview'

/** Receivers that comment on a change request, always the same comment; and GitHub's dispatch of workflows. */
export const CHANGE_REQUESTS: Readonly<Record<string, Converse>> = {
  githubpullrequestcomment: function* (parcel) {
    const [owner, repo] = partsOf(parcel, parseGitAddress(parcel), 2)
    const { base, headers, app } = yield* openGitHub(parcel)
    const login =
      app === '' ? userOf(parcel, yield get(`${base}/user`, headers), 'github.User', 'login') : `${app}[bot]`
    const issues = `${base}/repos/${owner}/${repo}/issues`
    const list = `${issues}/${numberOf(parcel)}/comments?direction=asc&per_page=100&sort=created`
    // Flux's client asks for reactions, too.
    const listing = parcel.traps === 'flux' ? { ...headers, accept: REACTIONS } : headers
    const comments = parseAnswer(yield get(list, listing), 'the comments')
    const { marker, body } = commentOf(parcel, 'flux-pr-comment-key')
    const own = findOwn(comments, marker, (one) => readText(one, 'user', 'login') === login)
    yield own === undefined
      ? post(`${issues}/${numberOf(parcel)}/comments`, { body }, headers)
      : { ...post(`${issues}/comments/${own}`, { body }, headers), method: 'PATCH' }
  },
  giteapullrequestcomment: function* (parcel) {
    const { host, path } = parseGitAddress(parcel)
    const [owner, repo] = partsOf(parcel, { host, path }, 2)
    const headers = { authorization: `token ${tokenOf(parcel, 'gitea')}` }
    const user = userOf(parcel, yield get(`${host}/api/v1/user`, headers), 'gitea.User', 'login')
    const issues = `${host}/api/v1/repos/${owner}/${repo}/issues`
    const list = `${issues}/${numberOf(parcel)}/comments?limit=100&page=1`
    const comments = parseAnswer(yield get(list, headers), 'the comments')
    const { marker, body } = commentOf(parcel, 'flux-pr-comment-key')
    const own = findOwn(comments, marker, (one) => readText(one, 'user', 'login') === user)
    yield own === undefined
      ? post(`${issues}/${numberOf(parcel)}/comments`, { body }, headers)
      : { ...post(`${issues}/comments/${own}`, { body }, headers), method: 'PATCH' }
  },
  gitlabmergerequestcomment: function* (parcel) {
    const { host, path } = parseGitAddress(parcel)
    const agent: Record<string, string> = parcel.traps === 'flux' ? { 'user-agent': 'go-gitlab' } : {}
    const headers = { ...agent, accept: 'application/json', 'private-token': tokenOf(parcel, 'gitlab') }
    const user = userOf(parcel, yield get(`${host}/api/v4/user`, headers), 'gitlab.User', 'username')
    const project = `${host}/api/v4/projects/${encodeURIComponent(path).replaceAll('.', '%2E')}`
    const notes = `${project}/merge_requests/${numberOf(parcel)}/notes`
    const listed = parseAnswer(yield get(`${notes}?order_by=created_at&per_page=100&sort=asc`, headers), 'the notes')
    const { marker, body } = commentOf(parcel, 'flux-mr-comment-key')
    const own = findOwn(listed, marker, (one) => readText(one, 'author', 'username') === user)
    const request: HookRequest = post(own === undefined ? notes : `${notes}/${own}`, { body }, headers)
    yield own === undefined ? request : { ...request, method: 'PUT' }
  },
  githubdispatch: function* (parcel) {
    const [owner, repo] = partsOf(parcel, parseGitAddress(parcel), 2)
    const { base, headers } = yield* openGitHub(parcel)
    const { kind, name, namespace } = parcel.message.involvedObject
    const body = { event_type: `${kind}/${name}.${namespace}`, client_payload: parcel.message }
    yield post(`${base}/repos/${owner}/${repo}/dispatches`, body, headers)
  },
}

/** Who the token belongs to, without whom no comment is our own. */
function userOf({ provider }: Parcel, answer: HookAnswer, type: string, field: string): string {
  const fault = objectFault(answer.text, type)
  if (fault !== undefined) throw unusable(provider, `failed to get authenticated user info: ${fault}`, 'spec.secretRef')
  return textOf(parseAnswer(answer, 'the user'), field)
}

function numberOf({ message }: Parcel): number {
  const text = message.metadata?.['change_request'] ?? ''
  if (/^[1-9][0-9]{0,9}$/.test(text)) return Number(text)
  throw new SluiceError('NOTIFY_PROVIDER', `invalid "change_request" metadata value "${text}"`)
}

/** The comment, with a mark by which it is found again. */
function commentOf({ message, provider }: Parcel, prefix: string): { readonly marker: string; readonly body: string } {
  const { kind, namespace, name } = message.involvedObject
  const marker = `<!-- ${prefix}:${provider.uid}/${kind}/${namespace}/${name} -->`
  return { marker, body: `${marker}\n\n${markdownOf(message)}` }
}

/** Only our own comment is changed, whoever copied its mark. */
function findOwn(listed: unknown, marker: string, isOwn: (one: unknown) => boolean): number | undefined {
  const found = (Array.isArray(listed) ? listed : []).find(
    (one) => isOwn(one) && readText(one, 'body').includes(marker),
  )
  const id = read(found, 'id')
  return typeof id === 'number' ? id : undefined
}
