import type { ServerResponse } from 'node:http'
import type { Json } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { presentOne, send, sendText } from '../negotiation/respond.ts'
import type { Obj } from '../object.ts'

/** Answers with a body once all that was written is durable. */
export async function answer(
  env: Environment,
  call: Call,
  response: ServerResponse,
  code: number,
  body: Json,
): Promise<void> {
  await env.store.settled()
  send(response, code, body, 'application/json', call.warnings)
}

/** Answers with an object in the form that was asked for, once it is durable. */
export async function answerObject(
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
