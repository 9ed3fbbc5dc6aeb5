import { createHmac } from 'node:crypto'
import type { Receiver } from '../../kinds/receiver.ts'
import { readText } from '../../lib/kube/read.ts'
import { isRecord } from '../../lib/value/is-record.ts'
import { mediaTypeOf } from '../../lib/net/media-type.ts'
import { firstJson } from '../../lib/value/first-json.ts'
import { own } from '../../lib/value/own.ts'
import { cdEventFault } from './cdevents.ts'
import { headerOf, type HookCall, type Proof, refused } from './request.ts'
import { isSameSecret, isSignedBy } from './signature.ts'

/** How the sender of a hook shows that it may call; the types with signed tokens need their keys first, see `token-proof.ts`. */
type Prove = (call: HookCall, token: string) => Proof

const GOOD: Proof = { isGood: true }

const PROOFS: Readonly<Record<string, Prove>> = {
  generic: () => GOOD,
  'generic-hmac': (call, token) =>
    isSignedBy(token, headerOf(call, 'x-signature'), call.body) ? GOOD : refused('unable to validate HMAC signature'),
  github: (call, token) => hubSignature(call, token, 'the GitHub signature header is invalid'),
  bitbucket: (call, token) => hubSignature(call, token, 'the Bitbucket server signature header is invalid'),
  gitlab: (call, token) =>
    isSameSecret(headerOf(call, 'x-gitlab-token'), token)
      ? GOOD
      : refused('the X-Gitlab-Token header value does not match the receiver token'),
  harbor: (call, token) =>
    isSameSecret(headerOf(call, 'authorization'), token)
      ? GOOD
      : refused('the Harbor Authorization header value does not match the receiver token'),
  nexus,
  dockerhub: ({ body }) =>
    shaped('DockerHub', body, [
      ['push_data', 'tag'],
      ['repository', 'repo_url'],
    ]),
  quay: ({ body }) => shaped('Quay', body, [['docker_url']], [['updated_tags']]),
  acr: ({ body }) => shaped('ACR', body, [['action'], ['target', 'repository'], ['target', 'tag']]),
  cdevents: ({ body }) => {
    const event = parseWhole(body)
    const fault = event === undefined ? 'the body is not JSON' : cdEventFault(event.value)
    return fault === undefined ? GOOD : refused(`unable to validate CDEvent event: ${fault}`)
  },
}

const EVENT_HEADERS: Readonly<Record<string, string>> = {
  github: 'x-github-event',
  gitlab: 'x-gitlab-event',
  bitbucket: 'x-event-key',
  cdevents: 'ce-type',
}

/** Checks who calls, and whether the event is one of those listed. */
export function checkProof({ type, events }: Receiver, call: HookCall, token: string): Proof {
  const prove = own(PROOFS, type)
  if (!prove) return refused(`receiver type "${type}" is not supported`)
  const proof = prove(call, token)
  const header = own(EVENT_HEADERS, type)
  if (!proof.isGood || header === undefined || events.length === 0) return proof
  const event = headerOf(call, header).toLowerCase()
  return events.some((name) => name.toLowerCase() === event) ? proof : refused(`the event "${event}" is not authorised`)
}

/** Parses a body of which nothing may be left. */
function parseWhole(body: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body.toString('utf8')) }
  } catch {
    return undefined
  }
}

/** Parses a body; undefined when it is not JSON. What stands behind its first value is not looked at. */
export function parseJson(body: Buffer): { readonly value: unknown } | undefined {
  return firstJson(body.toString('utf8'))
}

/** GitHub, Gitea, Bitbucket: the signature is over the body as it came; a form carries the event in its field `payload`. */
function hubSignature(call: HookCall, token: string, reason: string): Proof {
  const signature = headerOf(call, 'x-hub-signature-256') || headerOf(call, 'x-hub-signature')
  if (!isSignedBy(token, signature, call.body)) return refused(reason)
  const contentType = headerOf(call, 'content-type')
  const type = mediaTypeOf(contentType)
  if (type === 'application/json') return GOOD
  if (type !== 'application/x-www-form-urlencoded') return refused(`the content type "${contentType}" is not supported`)
  const form = call.body.toString('utf8')
  if (/;|%(?![0-9a-f]{2})/i.test(form)) return refused('the form of the body cannot be read')
  return { isGood: true, body: Buffer.from(new URLSearchParams(form).get('payload') ?? '') }
}

function nexus(call: HookCall, token: string): Proof {
  const signature = headerOf(call, 'x-nexus-webhook-signature')
  if (signature === '') return refused('the Nexus signature is missing from header')
  const want = createHmac('sha1', token).update(call.body).digest('hex')
  if (token === '' || !isSameSecret(signature, want)) return refused('invalid Nexus signature')
  if (parseWhole(call.body) === undefined) return refused('cannot decode Nexus webhook payload')
  return shaped('Nexus', call.body, [['action'], ['repositoryName']])
}

/** These senders prove nothing; their event must at least look like one: an object (or null) whose named fields are texts. */
function shaped(
  sender: string,
  body: Buffer,
  texts: readonly (readonly string[])[],
  lists: readonly (readonly string[])[] = [],
): Proof {
  const parsed = parseJson(body)
  const bad = refused(`cannot decode ${sender} webhook payload`)
  if (!parsed || (parsed.value !== null && !isRecord(parsed.value))) return bad
  const isText = (it: unknown): boolean => it === undefined || it === null || typeof it === 'string'
  const isTextAt = (path: readonly string[]): boolean => {
    const parents = path.slice(0, -1).map((_, at) => readAnyCase(parsed.value, path.slice(0, at + 1)))
    const isInside = parents.every((parent) => parent === undefined || parent === null || isRecord(parent))
    return isInside && isText(readAnyCase(parsed.value, path))
  }
  const isListAt = (path: readonly string[]): boolean => {
    const found = readAnyCase(parsed.value, path) ?? []
    return Array.isArray(found) && found.every(isText)
  }
  return texts.every(isTextAt) && lists.every(isListAt) ? GOOD : bad
}

/** Go knows its fields in letters of any case. */
function readAnyCase(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, name) =>
      isRecord(at) ? Object.entries(at).findLast(([key]) => key.toLowerCase() === name.toLowerCase())?.[1] : undefined,
    value,
  )
}

/** What is inside of a Pub/Sub envelope: the event of Google's registry. */
export function unwrapPubSub(body: Buffer): Proof {
  const envelope = parseJson(body)?.value
  if (!isRecord(envelope)) return refused('cannot decode GCR webhook payload')
  const inner = parseWhole(Buffer.from(readText(envelope, 'message', 'data'), 'base64'))?.value
  if (!isRecord(inner)) return refused('cannot decode GCR webhook body')
  const event = {
    action: readText(inner, 'action'),
    digest: readText(inner, 'digest'),
    tag: readText(inner, 'tag'),
  }
  return { isGood: true, body: Buffer.from(JSON.stringify(event)) }
}
