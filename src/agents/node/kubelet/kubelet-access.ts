import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { TLSSocket, type PeerCertificate } from 'node:tls'
import type { Clock } from '../../../adapters/clock.ts'
import type { KubeClient } from '../../../adapters/kube/types.ts'

/** Says whether a request may see and touch the pods of this node. */
export type Gate = (request: IncomingMessage) => Promise<Verdict>

/** Let in, or the answer and why. */
export type Verdict =
  { readonly isLetIn: true } | { readonly isLetIn: false; readonly status: 401 | 403; readonly why: string }

type User = { readonly name: string; readonly groups: readonly string[] }

const LET_IN: Verdict = { isLetIn: true }
const ALLOWED_MS = 300_000
const REFUSED_MS = 10_000
const MAX_KEPT = 1_000

/**
 * Lets in who may use `nodes/proxy` of this node (`nodes/stats` and `nodes/metrics` for its numbers), as a kubelet does: a client certificate of the cluster's authority or a bearer token says
 * who it is, the API server says what they may.
 *
 * An API server without either is taken for what it is: a process of this machine. It is let in when it runs as the user of this process
 * or as root, who could do all of it without us.
 */
export function makeGate(o: { readonly client: KubeClient; readonly node: string; readonly clock: Clock }): Gate {
  const kept = new Map<string, { readonly verdict: Verdict; readonly untilMs: number }>()
  return async (request) => {
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    const user = certified(request) ?? (token === undefined ? undefined : await reviewToken(o.client, token))
    if (user === undefined && token === undefined && isOwnMachine(request)) return LET_IN
    if (user === undefined) return { isLetIn: false, status: 401, why: 'Unauthorized' }
    const verb = VERBS[request.method ?? ''] ?? 'get'
    const subresource = subresourceOf(request.url)
    const key = JSON.stringify([user, verb, subresource])
    const known = kept.get(key)
    if (known !== undefined && known.untilMs > o.clock.monotonicMs()) return known.verdict
    const verdict = await reviewAccess(o.client, user, { verb, subresource }, o.node)
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(key, { verdict, untilMs: o.clock.monotonicMs() + (verdict.isLetIn ? ALLOWED_MS : REFUSED_MS) })
    return verdict
  }
}

const VERBS: Readonly<Record<string, string>> = { GET: 'get', POST: 'create', PUT: 'update', DELETE: 'delete' }

/** What is asked for: usage may be seen by those who may see no more. @see https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/ */
function subresourceOf(url = '/'): string {
  return /^\/(stats|metrics)(?:[/?]|$)/.exec(url)?.[1] ?? 'proxy'
}

/** The bearer of a certificate of the cluster's authority: its common name, and its organisations as groups. */
function certified({ socket }: IncomingMessage): User | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  const shown: Partial<PeerCertificate> = socket.getPeerCertificate()
  const name: unknown = shown.subject?.CN
  if (typeof name !== 'string' || name === '') return undefined
  const organizations: unknown = shown.subject?.O
  const groups = (Array.isArray(organizations) ? organizations : [organizations]).filter(
    (each) => typeof each === 'string',
  )
  return { name, groups: [...groups, 'system:authenticated'] }
}

async function reviewToken(client: KubeClient, token: string): Promise<User | undefined> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }
  const { status, text } = await client.raw('POST', '/apis/authentication.k8s.io/v1/tokenreviews', body)
  if (status >= 300) return undefined
  const answer = JSON.parse(text)?.status
  if (answer?.authenticated !== true || typeof answer.user?.username !== 'string') return undefined
  const groups: unknown = answer.user.groups
  return { name: answer.user.username, groups: Array.isArray(groups) ? groups.map(String) : [] }
}

type Wish = { readonly verb: string; readonly subresource: string }

async function reviewAccess(
  client: KubeClient,
  user: User,
  { verb, subresource }: Wish,
  node: string,
): Promise<Verdict> {
  const resourceAttributes = { verb, version: 'v1', resource: 'nodes', subresource, name: node }
  const spec = { user: user.name, groups: user.groups, resourceAttributes }
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec }
  const { status, text } = await client.raw('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', body)
  if (status < 300 && JSON.parse(text)?.status?.allowed === true) return LET_IN
  const why = `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresource}])`
  return { isLetIn: false, status: 403, why }
}

/**
 * Whether the peer is a process of this machine that runs as this process does, or as root: the kernel knows whose a connection over loopback is.
 * Only a connection that stands counts; one that is over belongs to root in that table.
 */
function isOwnMachine({ socket }: IncomingMessage): boolean {
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket
  if (remoteAddress !== '127.0.0.1' || localAddress !== '127.0.0.1') return false
  const at = (port: number): string => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const line = readTable()
    .split('\n')
    .map((each) => each.trim().split(/\s+/))
    .find(([, from, to, state]) => from === at(remotePort) && to === at(localPort) && state === '01')
  const uid = line?.[7]
  return uid !== undefined && (uid === '0' || uid === String(process.getuid?.()))
}

function readTable(): string {
  try {
    return readFileSync('/proc/net/tcp', 'latin1')
  } catch {
    return ''
  }
}
