import type { ServerResponse } from 'node:http'
import { isReview, review } from '../virtual/reviews.ts'
import type { Call } from '../request/call.ts'
import { decodeObject } from '../decoding/object.ts'
import { readObject } from '../decoding/body.ts'
import type { Environment } from '../environment.ts'
import { methodNotAllowed, unknownResource } from '../fault.ts'
import { answerMetrics, isMetrics } from '../virtual/metrics.ts'
import { isWhole } from '../resources/resource.ts'
import { answerComponents, isComponents } from '../virtual/components.ts'
import { trackUpdate } from '../ownership/managed-fields.ts'
import { placeInNamespace } from '../verbs/place.ts'
import { writerOf } from '../verbs/writer.ts'
import { answer } from './answer.ts'
import { dispatchMany } from './many.ts'
import { dispatchOne } from './one.ts'
import { dispatchSubresource } from './subresource.ts'

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
  const sent = decodeObject(env, call, readObject(call))
  placeInNamespace(call, sent)
  trackUpdate(call.resource, undefined, sent, undefined, writerOf(env, call))
  const { metadata, ...asked } = sent
  const { name, ...meta } = metadata
  const body = { ...asked, metadata: name === '' ? meta : metadata }
  return answer(env, call, response, 201, review(env, call, body))
}
