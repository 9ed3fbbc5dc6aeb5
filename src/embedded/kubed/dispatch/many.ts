import type { ServerResponse } from 'node:http'
import type { Call } from '../request/call.ts'
import { booleanIn, checkVersionText } from '../request/query.ts'
import { readObject } from '../decoding/body.ts'
import type { Environment } from '../environment.ts'
import { methodNotAllowed } from '../fault.ts'
import { presentMany, sendText } from '../negotiation/respond.ts'
import { toVersion } from '../conversion/convert.ts'
import { bindNamed } from '../subresources/pod.ts'
import { list } from '../verbs/list.ts'
import { readToken } from '../verbs/continue-token.ts'
import { create } from '../verbs/create.ts'
import { removalOf } from '../verbs/removal.ts'
import { remove } from '../verbs/remove.ts'
import { selectionOf } from '../request/select.ts'
import { answer, answerObject } from './answer.ts'
import { startWatch } from './start-watch.ts'

const isWatch = ({ query }: Call): boolean => booleanIn(query, 'watch') === true

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
