import type { ServerResponse } from 'node:http'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { methodNotAllowed, notFound } from '../fault.ts'
import { presentMany, presentOne, sendText } from '../negotiation/respond.ts'
import type { Obj } from '../object.ts'

/** Whether a request is for what components the server finds, which nobody keeps. */
export const isComponents = ({ resource }: Call): boolean => resource.storageKey === '/componentstatuses'

/** GET of ComponentStatuses: the store, by the name under which people look for it. Controllers and scheduler are clients, of which the server knows nothing. @throws Fault 404, 405 */
export function answerComponents(env: Environment, call: Call, response: ServerResponse): void {
  if (call.method !== 'GET' || /^(1|true)$/.test(call.query.get('watch') ?? '')) throw methodNotAllowed()
  const object: Obj = {
    apiVersion: 'v1',
    kind: 'ComponentStatus',
    metadata: { name: 'etcd-0' },
    conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
  }
  if (call.name === '') {
    const { contentType, text } = presentMany(call, [{ object, text: undefined }], {}, env.nowMs())
    return sendText(response, 200, text, contentType, call.warnings)
  }
  const { kind } = call.resource
  if (call.name !== object.metadata.name) throw notFound({ group: '', kind, plural: 'componentstatus' }, call.name)
  const { contentType, show } = presentOne(call, env.nowMs)
  sendText(response, 200, show({ object, text: undefined }, true), contentType, call.warnings)
}
