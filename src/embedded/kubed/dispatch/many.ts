import type { ServerResponse } from 'node:http'
import type { Call } from '../request/call.ts'
import { booleanIn } from '../request/query.ts'
import { readObject } from '../decoding/body.ts'
import type { Environment } from '../environment.ts'
import { methodNotAllowed } from '../fault.ts'
import { presentMany, sendText } from '../negotiation/respond.ts'
import { toVersion } from '../conversion/convert.ts'
import { bindNamed } from '../subresources/pod.ts'
import { list, pageOf } from '../verbs/list.ts'
import { create } from '../verbs/create.ts'
import { removalOf } from '../verbs/removal.ts'
import { remove } from '../verbs/remove.ts'
import { selectionOf } from '../request/select.ts'
import { answer, answerObject } from './answer.ts'
import { startWatch } from './start-watch.ts'

const isWatch = ({ isWatchPath, query }: Call): boolean => isWatchPath || booleanIn(query, 'watch') === true

/** Requests for a kind: list, watch, create, delete of a collection. */
export async function dispatchMany(env: Environment, call: Call, response: ServerResponse): Promise<void> {
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

async function removeMany(env: Environment, call: Call, response: ServerResponse): Promise<void> {
  selectionOf(call)
  const removal = removalOf(call)
  const { items: found, metadata } = pageOf(env, call)
  // The list is told as it was found.
  const items = found.map((stored) => {
    const object = toVersion(call.resource, stored.object)
    return { object, text: env.store.textOf(object) }
  })
  for (const { object } of found) {
    const { namespace = '', name } = object.metadata
    const stored = env.store.get(call.resource.storageKey, namespace, name)
    if (stored !== undefined) remove(env, call, stored, removal)
  }
  await env.store.settled()
  const { contentType, text } = presentMany(call, items, metadata, env.nowMs())
  sendText(response, 200, text, contentType, call.warnings)
}
