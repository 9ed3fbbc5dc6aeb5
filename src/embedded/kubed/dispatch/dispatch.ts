import type { ServerResponse } from 'node:http'
import {
  clone,
  equal,
  isObject,
  type Json,
  type JsonObject,
  listOf,
  objectOf,
  stringOf,
} from '../../../lib/kube/json.ts'
import { isReview, review } from '../virtual/reviews.ts'
import type { Call } from '../request/call.ts'
import { booleanIn, checkVersionText } from '../request/query.ts'
import { decodeObject } from '../decoding/object.ts'
import { readObject, readOptions, readPatch } from '../decoding/body.ts'
import { type Environment, timestamp } from '../environment.ts'
import { endingDefinition, isDefinition } from '../resources/definitions.ts'
import { badRequest, Fault, methodNotAllowed, notFound, unknownResource } from '../fault.ts'
import { answerMetrics, isMetrics } from '../virtual/metrics.ts'
import { formOf, notAcceptable } from '../negotiation/accept.ts'
import { presentMany, presentOne, send, sendText } from '../negotiation/respond.ts'
import { type Obj, objFrom } from '../object.ts'
import { toVersion } from '../conversion/convert.ts'
import { isWhole } from '../resources/resource.ts'
import { checkLogOptions, proxyLog } from '../subresources/log.ts'
import { bind, bindNamed, evict } from '../subresources/pod.ts'
import { proxy } from '../subresources/proxy.ts'
import { readScale, scaleResource, writeScale } from '../subresources/scale.ts'
import { isStream, streamPod } from '../subresources/stream.ts'
import { requestToken } from '../subresources/token.ts'
import { watch } from '../watch/watch.ts'
import { answerComponents, isComponents } from '../virtual/components.ts'
import { checkFuture, isCached, list } from '../verbs/list.ts'
import { readToken } from '../verbs/continue-token.ts'
import { apply, patch } from '../verbs/patch.ts'
import { type Removal, remove, removalOf } from '../verbs/remove.ts'
import { trackUpdate } from '../ownership/managed-fields.ts'
import { selectionOf } from '../request/select.ts'
import { afterWrite } from '../upkeep/after-write.ts'
import {
  create,
  CREATED_BY_PUT,
  createDecoded,
  finish,
  isFinished,
  placeInNamespace,
  replace,
  requireName,
  writerOf,
} from '../verbs/write.ts'

/** Carries out a request for a resource, and answers it. */
export async function dispatch(env: Environment, call: Call, response: ServerResponse): Promise<void> {
  if (isComponents(call)) return answerComponents(env, call, response)
  if (isMetrics(call)) return answerMetrics(env, call, response)
  if (isReview(call)) return answerReview(env, call, response)
  if (!isWhole(call.subresource)) return dispatchSubresource(env, call, response)
  if (call.name === '') return dispatchMany(env, call, response)
  return dispatchOne(env, call, response)
}

/** Reviews are asked, not kept. */
function answerReview(env: Environment, call: Call, response: ServerResponse): Promise<void> {
  if (call.name !== '') throw unknownResource()
  if (call.method !== 'POST') throw methodNotAllowed()
  if (formOf(call.accept).kind !== 'object') throw notAcceptable()
  const sent = decodeObject(env, call, readObject(call))
  placeInNamespace(call, sent)
  trackUpdate(call.resource, undefined, sent, undefined, writerOf(env, call))
  const { metadata, ...asked } = sent
  const { name, ...meta } = metadata
  const body = { ...asked, metadata: name === '' ? meta : metadata }
  return answer(env, call, response, 201, review(env, call, body))
}

const isWatch = ({ query }: Call): boolean => booleanIn(query, 'watch') === true

async function answer(env: Environment, call: Call, response: ServerResponse, code: number, body: Json): Promise<void> {
  await env.store.settled()
  send(response, code, body, 'application/json', call.warnings)
}

async function answerObject(
  env: Environment,
  call: Call,
  response: ServerResponse,
  code: number,
  object: Obj,
): Promise<void> {
  const { contentType, show } = presentOne(call, env.nowMs)
  await env.store.settled()
  sendText(response, code, show({ object, text: env.store.textOf(object) }, true), contentType, call.warnings)
}

async function dispatchMany(env: Environment, call: Call, response: ServerResponse): Promise<void> {
  switch (call.method) {
    case 'GET': {
      if (isWatch(call)) return startWatch(env, call, response)
      const page = await list(env, call)
      const { contentType, text } = presentMany(call, page.items, page.metadata, env.nowMs())
      return sendText(response, 200, text, contentType, call.warnings)
    }
    case 'POST':
      if (call.resource.kind === 'Binding') return answer(env, call, response, 201, bindNamed(env, call))
      return answerObject(env, call, response, 201, create(env, call, readObject(call)))
    case 'DELETE':
      return removeMany(env, call, response)
    default:
      throw methodNotAllowed()
  }
}

/** A watch is no document. */
function refuseYaml({ accept }: Call): void {
  if (!accept.startsWith('application/yaml')) return
  const served = 'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch'
  throw new Fault(406, 'NotAcceptable', `only the following media types are accepted: ${served}`)
}

function startWatch(env: Environment, call: Call, response: ServerResponse): Promise<void> {
  refuseYaml(call)
  return watch(env, call, response, presentOne(call, env.nowMs))
}

async function removeMany(env: Environment, call: Call, response: ServerResponse): Promise<void> {
  const { match } = selectionOf(call)
  const removal = removalOf(call)
  checkVersionText(call.query.get('resourceVersion') ?? '', 400)
  if (call.query.get('continue')) readToken(call.query.get('continue') ?? '')
  const all = env.store.list(call.resource.storageKey, call.namespace === '' ? undefined : call.namespace)
  const items = (match === undefined ? [...all] : all.filter(match)).map((each) => {
    // The list is told as it was found.
    const object = toVersion(call.resource, each)
    const text = env.store.textOf(object)
    remove(env, call, each, removal)
    return { object, text }
  })
  const resourceVersion = String(env.store.version())
  const metadata = call.resource.custom === undefined ? { resourceVersion } : { resourceVersion, continue: '' }
  await env.store.settled()
  const { contentType, text } = presentMany(call, items, metadata, env.nowMs())
  sendText(response, 200, text, contentType, call.warnings)
}

async function dispatchOne(env: Environment, call: Call, response: ServerResponse): Promise<void> {
  if (call.method === 'GET') return readOne(env, call, response)
  const patchBody = call.method === 'PATCH' ? readPatch(call) : undefined
  const stored = env.store.get(call.resource.storageKey, call.namespace, call.name)
  if (patchBody !== undefined && call.contentType === 'application/apply-patch+yaml') {
    const { object, created } = apply(env, call, stored, patchBody)
    return answerObject(env, call, response, created ? 201 : 200, object)
  }
  if (stored === undefined && call.method === 'PUT' && CREATED_BY_PUT.has(call.resource.storageKey)) {
    const object = decodeObject(env, call, readObject(call))
    requireName(object, call.name)
    return answerObject(env, call, response, 201, createDecoded(env, call, object))
  }
  if (call.method === 'PUT') return answerObject(env, call, response, 200, replace(env, call, stored, readObject(call)))
  const removal = call.method === 'DELETE' ? removalOf(call) : undefined
  if (stored === undefined) throw notFound(call.resource, call.name)
  if (removal !== undefined) return removeOne(env, call, response, stored, removal)
  if (patchBody === undefined) throw methodNotAllowed()
  return answerObject(env, call, response, 200, patch(env, call, stored, patchBody))
}

/** Kinds whose DELETE answers the object that is gone. @see ReturnDeletedObject of the registry's stores */
const SHOWN_WHEN_GONE = new Set([
  ...['/pods', '/services', '/serviceaccounts', '/persistentvolumes', '/persistentvolumeclaims'],
  ...['/podtemplates', '/resourcequotas'],
  ...['csidrivers', 'csinodes', 'storageclasses', 'volumeattachments', 'volumeattributesclasses'].map(
    (each) => `storage.k8s.io/${each}`,
  ),
  ...['resourceclaims', 'resourceclaimtemplates', 'resourceslices', 'deviceclasses'].map(
    (each) => `resource.k8s.io/${each}`,
  ),
])

async function removeOne(
  env: Environment,
  call: Call,
  response: ServerResponse,
  stored: Obj,
  removal: Removal,
): Promise<void> {
  const { object, gone } = remove(env, call, stored, removal)
  if (gone && isDefinition(object))
    return answerObject(env, call, response, 200, endingDefinition(object, timestamp(env.nowMs())))
  const isShown = !gone || SHOWN_WHEN_GONE.has(call.resource.storageKey)
  return isShown
    ? answerObject(env, call, response, 200, object)
    : answer(env, call, response, 200, deleted(call, object))
}

function deleted({ resource, name }: Call, object: Obj): JsonObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name,
      ...(resource.group === '' ? {} : { group: resource.group }),
      kind: resource.plural,
      uid: object.metadata.uid,
    },
  }
}

async function readOne(env: Environment, call: Call, response: ServerResponse): Promise<void> {
  if (call.path.includes('/watch/')) return startWatch(env, call, response)
  const version = call.query.get('resourceVersion') ?? ''
  if (version !== '') {
    checkVersionText(version, isCached(call.resource) ? 500 : 400)
    checkFuture(env, call.resource, Number(version))
  }
  const stored = env.store.find(call.resource.storageKey, call.namespace, call.name)
  if (stored === undefined) throw notFound(call.resource, call.name)
  const { contentType, show } = presentOne(call, env.nowMs)
  if (stored.head.version > env.store.durable()) await env.store.settled()
  sendText(response, 200, show(stored, true), contentType, call.warnings)
}

async function dispatchSubresource(env: Environment, call: Call, response: ServerResponse): Promise<void> {
  if (call.subresource === 'proxy') return proxy(env, call, response)
  const stored = env.store.get(call.resource.storageKey, call.namespace, call.name)
  const { method, subresource } = call
  if (subresource === 'eviction' && method === 'POST') return answer(env, call, response, 201, evict(env, call, stored))
  if (subresource === 'binding' && method === 'POST') return answer(env, call, response, 201, bind(env, call, stored))
  if (subresource === 'log' && method === 'GET') checkLogOptions(call)
  if (stored === undefined) throw notFound(call.resource, call.name)
  if (subresource === 'log' && method === 'GET') return proxyLog(env, call, stored, response)
  if (isStream(subresource) && call.resource.storageKey === '/pods') return streamPod(env, call, stored, response)
  if (subresource === 'scale') {
    const object = toVersion(call.resource, stored)
    const scale = method === 'GET' ? readScale(call, object) : writeScale(env, call, object)
    return answerObject(
      env,
      { ...call, resource: scaleResource(call) },
      response,
      200,
      objFrom(scale, 'autoscaling/v1', 'Scale'),
    )
  }
  if (subresource === 'finalize' && method === 'PUT')
    return answerObject(env, call, response, 200, finalize(env, call, stored, readOptions(call)))
  if (subresource === 'token' && method === 'POST')
    return answer(env, call, response, 201, requestToken(env, call, stored))
  throw new Fault(
    501,
    'NotImplemented',
    `kubed does not serve the subresource ${JSON.stringify(subresource)} of ${call.resource.plural}: use a Kubernetes cluster for it`,
  )
}

/** PUT of namespaces/finalize: takes the finalizers of spec. */
function finalize(env: Environment, call: Call, stored: Obj, body: Json): Obj {
  if (isObject(body) && stringOf(objectOf(body.metadata).name) === '')
    throw badRequest(`the name of the object (${call.name} based on URL) was undeterminable: name must be provided`)
  const spec = objectOf(isObject(body) ? body.spec : undefined)
  const next = clone(stored)
  const finalizers = listOf(spec.finalizers)
  next.spec = finalizers.length > 0 ? { finalizers } : {}
  if (call.dryRun) return next
  if (equal(next, stored)) return stored
  if (isFinished(next)) return finish(env, call, stored, next)
  const kept = env.store.put(call.resource.storageKey, next)
  afterWrite(env, kept, stored)
  return kept
}
