import type { ServerResponse } from 'node:http'
import { stringOf } from '../../../lib/kube/json.ts'
import { authorize } from '../authorization/authorize.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { badRequest } from '../fault.ts'
import { namespaceOf, type Obj, specOf } from '../object.ts'
import { containerOf } from './container.ts'
import { kubeletOf } from './kubelet.ts'
import { tunnel } from './tunnel.ts'

/** The subresources of pods that are streams, by the kubelet's word for them. */
const KUBELET_WORDS: ReadonlyMap<string, string> = new Map([
  ['exec', 'exec'],
  ['attach', 'attach'],
  ['portforward', 'portForward'],
])
const FLAGS = [
  ['stdin', 'input'],
  ['stdout', 'output'],
  ['stderr', 'error'],
  ['tty', 'tty'],
] as const

/** Whether a subresource of pods is a stream. */
export function isStream(subresource: string): boolean {
  return KUBELET_WORDS.has(subresource)
}

/**
 * Ties exec, attach or port-forward to the kubelet API of the pod's node, whatever the client speaks: SPDY or WebSocket.
 *
 * Who may only `get` the subresource is refused: since a WebSocket begins with GET, everybody who may read pods could otherwise run programs.
 * @throws Fault 400, 403, 404
 */
export function streamPod(env: Environment, call: Call, pod: Obj, response: ServerResponse): Promise<void> {
  const { subresource, namespace, name, user } = call
  authorize(env, user, { verb: 'create', group: '', resource: 'pods', subresource, namespace, name })
  const word = KUBELET_WORDS.get(subresource) ?? ''
  const query = new URLSearchParams()
  const segments = [word, namespaceOf(pod), name]
  if (word === 'portForward') {
    const ports = call.query.getAll('ports')
    if (ports.length > 0) query.set('port', ports.join(','))
  } else {
    segments.push(containerOf(call, pod))
    for (const [theirs, kubelets] of FLAGS)
      if (/^(1|true)$/i.test(call.query.get(theirs) ?? '')) query.set(kubelets, '1')
    if (word === 'exec') for (const each of call.query.getAll('command')) query.append('command', each)
  }
  const nodeName = stringOf(specOf(pod).nodeName)
  if (nodeName === '') throw badRequest(`pod ${name} does not have a host assigned`)
  const path = `/${segments.map(encodeURIComponent).join('/')}?${query.toString()}`
  return tunnel(env, call, { ...kubeletOf(env, nodeName), path }, response)
}
