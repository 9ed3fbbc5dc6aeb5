import type { ServerResponse } from 'node:http'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { Fault } from '../fault.ts'
import { formFor } from '../negotiation/accept.ts'
import { checkVersionText } from '../request/query.ts'
import { selectionOf } from '../request/select.ts'
import { presentOne } from '../negotiation/respond.ts'
import { streamTypeOf, watch } from '../watch/watch.ts'

/** Begins a watch in the form that was asked for. @throws Fault 406 */
export async function startWatch(env: Environment, call: Call, response: ServerResponse): Promise<void> {
  const { kind, contentType } = formFor(call.accept, call.resource, call.subresource)
  if (contentType !== 'application/yaml' && kind !== 'metadata-list')
    return watch(env, call, response, presentOne(call, env.nowMs))
  selectionOf(call)
  checkVersionText(call.query.get('resourceVersion') ?? '', 500)
  if (contentType === 'application/yaml') throw noDocument()
  // an event is no list, and where the real server cannot write it the stream ends
  return void response.writeHead(200, { 'content-type': streamTypeOf(contentType) }).end()
}

/** A watch is no document. */
function noDocument(): Fault {
  const served = 'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch'
  return new Fault(406, 'NotAcceptable', `only the following media types are accepted: ${served}`)
}
