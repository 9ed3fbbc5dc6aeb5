import { SluiceError } from '../../lib/error/sluice-error.ts'
import { groupOf, type KubeObject, type ObjectRef } from '../../lib/kube/object.ts'
import { systemClock, type Clock } from '../clock.ts'
import { ApiError } from './api-error.ts'
import { createDiscovery, pathOf, type Discovery } from './discovery.ts'
import { readKubeconfig, type Connection } from './kubeconfig.ts'
import { answerError, parseObject } from './answer.ts'
import { openTransport, type HttpAnswer, type HttpRequest, type Transport } from './transport.ts'
import type { DeleteOptions, KubeClient, KubeResource, PatchType, Selection, WriteOptions } from './types.ts'
import { acceptOf, streamEvents } from './watch-stream.ts'

/** How to build a client. */
export type ClientOptions = {
  readonly clock?: Clock
  /** A context of the kubeconfig other than the current one. */
  readonly context?: string
  /** A whole request must be answered by then (default 60 s; watches end by themselves after 5 to 10 minutes). */
  readonly timeoutMs?: number
  /** Whether something may be changed now; asked before every attempt. Who has lost a lease says no. */
  readonly mayWrite?: () => boolean
}

/** A client that also knows the namespace of its context, every kind of its server, and open-ended answers (logs that are followed). */
export type HttpKubeClient = KubeClient & {
  readonly namespace: string
  /** The certificates that the server's own is checked against. */
  readonly caPem: string | undefined
  readonly resources: () => Promise<readonly KubeResource[]>
  /** Deletes, and answers what is left for now (a grace period or finalizers hold it); `undefined` when it is gone. */
  readonly remove: (ref: ObjectRef, options?: DeleteOptions) => Promise<KubeObject | undefined>
  /** Hands on the body of a GET as it comes; ends when the server ends it or `signal` aborts. */
  readonly stream: (path: string, onChunk: (chunk: Buffer) => void, signal: AbortSignal) => Promise<void>
}

type Session = {
  readonly transport: Transport
  readonly discovery: Discovery
  readonly timeoutMs: number
  readonly clock: Clock
}

/** Every request of a transport with another user's rights. */
function actingAs({ send, stream }: Transport, asUser: string): Transport {
  return {
    send: (request) => send({ ...request, asUser }),
    stream: (request, onHead, onChunk) => stream({ ...request, asUser }, onHead, onChunk),
    // The connections belong to the client that this one was made from.
    close: () => undefined,
  }
}

const PAGE_SIZE = 500
const DAY_MS = 86_400_000

const PATCH_MEDIA_TYPES: Record<PatchType, string> = {
  apply: 'application/apply-patch+yaml',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
}

/**
 * A client for the server that a kubeconfig names (a path, or the text itself).
 *
 * @throws SluiceError KUBE_CONFIG when it is not a kubeconfig, points nowhere, or wants to run a program
 */
export function clientFromKubeconfig(pathOrText: string, options: ClientOptions = {}): HttpKubeClient {
  return clientOf(readKubeconfig(pathOrText, options.context), options)
}

/** A client for a connection that is already known. */
export function clientOf(connection: Connection, options: ClientOptions = {}): HttpKubeClient {
  const clock = options.clock ?? systemClock
  const transport = openTransport(connection, clock, options.mayWrite)
  const timeoutMs = options.timeoutMs ?? 60_000
  const discovery = createDiscovery(async (path, accept) => {
    const answer = await transport.send({
      method: 'GET',
      path,
      timeoutMs,
      isRepeatable: true,
      ...(accept !== undefined && { accept }),
    })
    if (answer.status === 404) return undefined
    if (answer.status >= 400) throw answerError(answer)
    return parseObject(answer.body)
  })
  return clientOver({ transport, discovery, timeoutMs, clock }, connection)
}

function clientOver(session: Session, connection: Connection): HttpKubeClient {
  const { transport, discovery } = session
  return {
    as: (user) => clientOver({ ...session, transport: actingAs(transport, user) }, connection),
    server: connection.server,
    namespace: connection.namespace,
    caPem: connection.caPem,
    resources: discovery.all,
    resource: discovery.resource,
    get: (ref) => getObject(session, ref),
    list: (selection) => listObjects(session, selection),
    create: (object, write) => createObject(session, object, write),
    replace: (object, write) => replaceObject(session, object, write),
    patch: (ref, type, body, write) => patchObject(session, ref, type, body, write),
    delete: async (ref, deletion = {}) => (await deleteObject(session, ref, deletion)) !== undefined,
    remove: async (ref, deletion = {}) => leftOver(await deleteObject(session, ref, deletion)),
    watch: async (selection, resourceVersion, onEvent, signal) =>
      streamEvents(transport, await collectionPath(session, selection), selection, resourceVersion, onEvent, signal),
    raw: (method, path, body) => sendRaw(session, method, path, body),
    stream: (path, onChunk, signal) => streamBody(session, path, onChunk, signal),
    close: transport.close,
  }
}

async function getObject(session: Session, ref: ObjectRef): Promise<KubeObject | undefined> {
  const answer = await send(session, 'GET', await objectPath(session, ref))
  if (answer.status === 404) return undefined
  return objectOf(session, answer, ref.apiVersion)
}

async function listObjects(
  session: Session,
  selection: Selection,
): Promise<{ items: readonly KubeObject[]; resourceVersion: string }> {
  const path = await collectionPath(session, selection)
  try {
    return await listPages(session, path, selection, PAGE_SIZE)
  } catch (error) {
    // The pages' version was compacted away meanwhile: one large answer is always consistent.
    if (error instanceof ApiError && error.status === 410) return listPages(session, path, selection, 0)
    throw error
  }
}

async function listPages(session: Session, path: string, selection: Selection, limit: number) {
  const items: KubeObject[] = []
  const { apiVersion } = selection
  for (let token = ''; ;) {
    const query = queryOf({
      ...selectors(selection),
      limit: limit > 0 ? String(limit) : undefined,
      continue: token || undefined,
    })
    const answer = await send(session, 'GET', path + query, { accept: acceptOf(selection, 'List') })
    if (answer.status >= 400) throw refused(session, answer, apiVersion)
    const page = parseObject(answer.body) as unknown as {
      metadata?: { resourceVersion?: string; continue?: string }
      items?: KubeObject[]
    }
    for (const item of page.items ?? []) items.push(itemOf(item, selection))
    token = page.metadata?.continue ?? ''
    if (token === '') return { items, resourceVersion: page.metadata?.resourceVersion ?? '' }
  }
}

/** The real server leaves apiVersion and kind out of the items of a list; metadata alone comes under a kind of its own. */
function itemOf(item: KubeObject, { apiVersion, kind, metadataOnly }: Selection): KubeObject {
  if (metadataOnly) return { apiVersion, kind, metadata: item.metadata }
  return item.kind === kind ? item : { ...item, apiVersion, kind }
}

async function createObject(session: Session, object: KubeObject, write: WriteOptions): Promise<KubeObject> {
  const { apiVersion, kind, metadata } = object
  const namespace = metadata.namespace ?? ''
  const isPart = write.subresource !== undefined
  // A Binding or an Eviction is created on its Pod.
  const base = isPart
    ? await objectPath(session, { apiVersion: 'v1', kind: 'Pod', namespace, name: metadata.name })
    : await collectionPath(session, { apiVersion, kind, namespace }, true)
  const answer = await send(session, 'POST', base + partOf(write) + writeQuery(write), { body: JSON.stringify(object) })
  return objectOf(session, answer, apiVersion)
}

async function replaceObject(session: Session, object: KubeObject, write: WriteOptions): Promise<KubeObject> {
  const { apiVersion, kind, metadata } = object
  const path = await objectPath(session, { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name })
  const answer = await send(session, 'PUT', path + partOf(write) + writeQuery(write), { body: JSON.stringify(object) })
  return objectOf(session, answer, apiVersion)
}

async function patchObject(
  session: Session,
  ref: ObjectRef,
  type: PatchType,
  body: unknown,
  write: WriteOptions,
): Promise<KubeObject> {
  const path = (await objectPath(session, ref)) + partOf(write) + writeQuery(write, type === 'apply')
  const answer = await send(session, 'PATCH', path, {
    body: JSON.stringify(body),
    contentType: PATCH_MEDIA_TYPES[type],
    isRepeatable: type !== 'json',
  })
  const resource = answer.status === 404 ? await session.discovery.resource(ref.apiVersion, ref.kind) : undefined
  const group = groupOf(ref.apiVersion)
  return objectOf(
    session,
    answer,
    ref.apiVersion,
    resource && `patch ${resource.plural}${group === '' ? '' : `.${group}`} ${ref.name}`,
  )
}

async function deleteObject(
  session: Session,
  ref: ObjectRef,
  deletion: DeleteOptions,
): Promise<KubeObject | undefined> {
  const { propagationPolicy, gracePeriodSeconds, uid, resourceVersion } = deletion
  const preconditions = uid !== undefined || resourceVersion !== undefined ? { uid, resourceVersion } : undefined
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy, gracePeriodSeconds, preconditions }
  const answer = await send(session, 'DELETE', await objectPath(session, ref), { body: JSON.stringify(body) })
  return answer.status === 404 ? undefined : objectOf(session, answer, ref.apiVersion)
}

/** What a DELETE left: servers answer a Status, or the object as it last was, when it went at once. */
function leftOver(answer: KubeObject | undefined): KubeObject | undefined {
  if (!answer || answer.kind === 'Status' || answer.metadata.deletionTimestamp === undefined) return undefined
  const { deletionGracePeriodSeconds, finalizers = [] } = answer.metadata
  return deletionGracePeriodSeconds === 0 && finalizers.length === 0 ? undefined : answer
}

async function sendRaw(session: Session, method: string, path: string, body?: unknown) {
  const answer = await send(session, method, path, body === undefined ? {} : { body: JSON.stringify(body) })
  return { status: answer.status, text: answer.body.toString('utf8') }
}

async function streamBody(
  { transport }: Session,
  path: string,
  onChunk: (chunk: Buffer) => void,
  signal: AbortSignal,
): Promise<void> {
  let status = 0
  const refusal: Buffer[] = []
  await transport.stream(
    { method: 'GET', path, timeoutMs: DAY_MS, isRepeatable: true, accept: '*/*', signal },
    (code) => (status = code),
    (chunk) => (status < 400 ? onChunk(chunk) : void refusal.push(chunk)),
  )
  if (status >= 400) throw answerError({ status, body: Buffer.concat(refusal) })
}

function send(
  { transport, timeoutMs }: Session,
  method: string,
  path: string,
  extra: Partial<Pick<HttpRequest, 'body' | 'contentType' | 'accept' | 'isRepeatable'>> = {},
): Promise<HttpAnswer> {
  return transport.send({ method, path, timeoutMs, isRepeatable: method !== 'POST', ...extra })
}

/** @param asked what was asked of which object, for a server that says nothing of it */
function objectOf(session: Session, answer: HttpAnswer, apiVersion: string, asked?: string): KubeObject {
  if (answer.status >= 400) throw refused(session, answer, apiVersion, asked)
  return parseObject(answer.body)
}

function refused(session: Session, answer: HttpAnswer, apiVersion: string, asked?: string): ApiError {
  const error = answerError(answer)
  if (error.status !== 404 || error.details !== undefined) return error
  // No Status: the path itself is unknown, so the kind has gone since it was looked up.
  session.discovery.forget(apiVersion)
  // As Kubernetes' own client says it.
  return asked ? new ApiError(404, '', `the server could not find the requested resource (${asked})`) : error
}

async function collectionPath(session: Session, selection: Selection, mustHaveNamespace = false): Promise<string> {
  const { apiVersion, kind, namespace = '' } = selection
  const resource = await resourceOf(session, apiVersion, kind)
  if (!resource.namespaced || (namespace === '' && !mustHaveNamespace))
    return `${pathOf(apiVersion)}/${resource.plural}`
  return `${pathOf(apiVersion)}/namespaces/${segment(namespace, `namespace of a ${kind}`)}/${resource.plural}`
}

async function objectPath(session: Session, ref: ObjectRef): Promise<string> {
  const { apiVersion, kind, namespace, name } = ref
  const resource = await resourceOf(session, apiVersion, kind)
  const scope = resource.namespaced ? `/namespaces/${segment(namespace, `namespace of ${kind} "${name}"`)}` : ''
  return `${pathOf(apiVersion)}${scope}/${resource.plural}/${segment(name, `name of a ${kind}`)}`
}

async function resourceOf(session: Session, apiVersion: string, kind: string): Promise<KubeResource> {
  const resource = await session.discovery.resource(apiVersion, kind)
  if (resource) return resource
  throw new ApiError(404, 'NoKindMatch', `no matches for kind "${kind}" in version "${apiVersion}"`)
}

/** A name as one segment of a path; what would walk the path is refused. */
function segment(text: string, what: string): string {
  if (text === '') throw new SluiceError('OBJECT_INVALID', `the ${what} is empty`)
  if (text === '.' || text === '..' || /[/%]/.test(text))
    throw new SluiceError('OBJECT_INVALID', `the ${what} is not a name: "${text}"`)
  return encodeURIComponent(text)
}

function partOf({ subresource }: WriteOptions): string {
  return subresource === undefined ? '' : `/${subresource}`
}

function writeQuery(write: WriteOptions, isApply = false): string {
  return queryOf({
    fieldManager: write.fieldManager,
    dryRun: write.dryRun ? 'All' : undefined,
    force: isApply && write.force ? 'true' : undefined,
    // By default a server parses a body twice, for warnings in headers that nobody reads here.
    fieldValidation: write.fieldValidation ?? 'Ignore',
  })
}

function selectors({ labelSelector, fieldSelector }: Selection) {
  return { labelSelector: labelSelector || undefined, fieldSelector: fieldSelector || undefined }
}

/** Renders a query; absent values are left out. */
function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`
}
