import type { ServerResponse } from 'node:http'
import type { Call } from '../request/call.ts'
import { readObject } from '../decoding/body.ts'
import { bodyKindOf } from '../decoding/body-kind.ts'
import type { Environment } from '../environment.ts'
import { Fault, notFound } from '../fault.ts'
import { objFrom } from '../object.ts'
import { toVersion } from '../conversion/convert.ts'
import { finalize } from '../subresources/finalize.ts'
import { checkLogOptions, proxyLog } from '../subresources/log.ts'
import { evict } from '../subresources/eviction.ts'
import { bind } from '../subresources/pod.ts'
import { proxy } from '../subresources/proxy.ts'
import { readScale, scaleResource, writeScale } from '../subresources/scale.ts'
import { isStream, streamPod } from '../subresources/stream.ts'
import { requestToken } from '../subresources/token.ts'
import { answer, answerObject } from './answer.ts'

/** Requests for a part of an object that is no part of its kind. @throws Fault 501 for those that are not served */
export async function dispatchSubresource(env: Environment, call: Call, response: ServerResponse): Promise<void> {
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
    return answerObject(env, call, response, 200, objFrom(scale, 'autoscaling/v1', 'Scale'), scaleResource(call))
  }
  if (subresource === 'finalize' && method === 'PUT')
    return answerObject(env, call, response, 200, finalize(env, call, stored, readObject(call)))
  if (subresource === 'token' && method === 'POST')
    return answer(env, call, response, 201, requestToken(env, call, stored), bodyKindOf(call))
  throw new Fault(
    501,
    'NotImplemented',
    `kubed does not serve the subresource ${JSON.stringify(subresource)} of ${call.resource.plural}: use a Kubernetes cluster for it`,
  )
}
