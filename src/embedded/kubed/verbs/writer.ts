import { timestamp, type Environment } from '../environment.ts'
import type { Writer } from '../ownership/managers.ts'
import type { Call } from '../request/call.ts'

/** The writer of a request, for managedFields. */
export function writerOf(env: Environment, call: Call): Writer {
  return { manager: call.manager, now: timestamp(env.nowMs()), subresource: call.subresource }
}
