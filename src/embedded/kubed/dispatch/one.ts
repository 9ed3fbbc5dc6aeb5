import type { ServerResponse } from 'node:http'
import type { JsonObject } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import { checkVersionText } from '../request/query.ts'
import { readObject, readPatch } from '../decoding/body.ts'
import type { Environment } from '../environment.ts'
import { methodNotAllowed } from '../fault.ts'
import { presentOne, sendText } from '../negotiation/respond.ts'
import type { Obj } from '../object.ts'
import { isCreatedByPut, isShownWhenGone } from '../strategies/verbs.ts'
import { checkFuture, isCached } from '../verbs/list.ts'
import { apply } from '../verbs/apply.ts'
import { replace } from '../verbs/change.ts'
import { createByPut } from '../verbs/create.ts'
import { patch } from '../verbs/patch.ts'
import { missing, requireKey } from '../verbs/place.ts'
import { type Removal, removalOf } from '../verbs/removal.ts'
import { remove } from '../verbs/remove.ts'
import { answer, answerObject } from './answer.ts'
import { startWatch } from './start-watch.ts'
import { untilShowable } from '../storage/durable.ts'

/** Requests for an object: read, replace, patch, apply, delete. */
export async function dispatchOne(env: Environment, call: Call, response: ServerResponse): Promise<void> {
  if (call.method === 'GET') return readOne(env, call, response)
  const patchBody = call.method === 'PATCH' ? readPatch(call) : undefined
  const stored = env.store.get(call.resource.storageKey, call.namespace, call.name)
  if (patchBody !== undefined && call.contentType === 'application/apply-patch+yaml') {
    requireKey(call)
    const { object, created } = apply(env, call, stored, patchBody)
    return answerObject(env, call, response, created ? 201 : 200, object)
  }
  if (stored === undefined && call.method === 'PUT' && isCreatedByPut(call.resource)) {
    return answerObject(env, call, response, 201, createByPut(env, call, readObject(call)))
  }
  if (call.method === 'PUT') return answerObject(env, call, response, 200, replace(env, call, stored, readObject(call)))
  const removal = call.method === 'DELETE' ? removalOf(call) : undefined
  if (stored === undefined) throw missing(call)
  if (removal !== undefined) return removeOne(env, call, response, stored, removal)
  if (patchBody === undefined) throw methodNotAllowed()
  return answerObject(env, call, response, 200, patch(env, call, stored, patchBody))
}

async function removeOne(
  env: Environment,
  call: Call,
  response: ServerResponse,
  stored: Obj,
  removal: Removal,
): Promise<void> {
  const { object, gone } = remove(env, call, stored, removal)
  const isShown = !gone || isShownWhenGone(call.resource)
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
  if (call.isWatchPath) return startWatch(env, call, response)
  const version = call.query.get('resourceVersion') ?? ''
  if (version !== '') {
    checkVersionText(version, isCached(call.resource) ? 500 : 400)
    checkFuture(env, call.resource, Number(version))
  }
  const stored = env.store.find(call.resource.storageKey, call.namespace, call.name)
  if (stored === undefined) throw missing(call)
  const { contentType, show } = presentOne(call, env.nowMs)
  if (stored.head.version > env.store.durable()) await untilShowable(env.store)
  sendText(response, 200, show(stored, true), contentType, call.warnings)
}
