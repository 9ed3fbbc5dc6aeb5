import type { ServerResponse } from 'node:http'
import type { JsonObject } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { presentOne, sendAnswer, sendText } from '../negotiation/respond.ts'
import type { Obj } from '../object.ts'

/** Answers with what is not kept once all that was written is durable. */
export async function answer(
  env: Environment,
  call: Call,
  response: ServerResponse,
  code: number,
  body: JsonObject,
  resource = call.resource,
): Promise<void> {
  await env.store.settled()
  sendAnswer(call, response, code, body, resource)
}

/** Answers with an object in the form that was asked for, once it is durable. */
export async function answerObject(
  env: Environment,
  call: Call,
  response: ServerResponse,
  code: number,
  object: Obj,
  resource = call.resource,
): Promise<void> {
  const { contentType, show } = presentOne(call, env.nowMs, resource)
  await env.store.settled()
  sendText(response, code, show({ object, text: env.store.textOf(object) }, true), contentType, call.warnings)
}
