import type { ServerResponse } from 'node:http'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { Fault } from '../fault.ts'
import { presentOne } from '../negotiation/respond.ts'
import { watch } from '../watch/watch.ts'

/** A watch is no document. */
function refuseYaml({ accept }: Call): void {
  if (!accept.startsWith('application/yaml')) return
  const served = 'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch'
  throw new Fault(406, 'NotAcceptable', `only the following media types are accepted: ${served}`)
}

/** Begins a watch in the form that was asked for. @throws Fault 406 */
export function startWatch(env: Environment, call: Call, response: ServerResponse): Promise<void> {
  refuseYaml(call)
  return watch(env, call, response, presentOne(call, env.nowMs))
}
