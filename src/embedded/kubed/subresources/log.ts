import type { ServerResponse } from 'node:http'
import { request } from 'node:https'
import { stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { badRequest, type FieldError, Fault, invalid } from '../fault.ts'
import { namespaceOf, type Obj, specOf } from '../object.ts'
import { forbid, invalidValue } from '../validation/fault-list.ts'
import { containerOf } from './container.ts'
import { kubeletOf } from './kubelet.ts'
import { sendText, type TextSocket, textSocketOf } from './log-socket.ts'

const OPTIONS = ['follow', 'tailLines', 'timestamps', 'previous', 'sinceSeconds', 'sinceTime', 'limitBytes']

/** GET of pods/log: asked of the kubelet API of the pod's node, its certificate unverified as kube-apiserver's default is. */
export function proxyLog(env: Environment, call: Call, pod: Obj, response: ServerResponse): Promise<void> {
  const spec = specOf(pod)
  const container = containerOf(call, pod)
  const nodeName = stringOf(spec.nodeName)
  // Of a pod without a host there is nothing to read.
  if (nodeName === '') return Promise.resolve(void response.writeHead(204).end())
  const kubelet = kubeletOf(env, nodeName)
  const query = new URLSearchParams()
  for (const option of OPTIONS) {
    const value = call.query.get(option)
    if (value !== null) query.set(option, value)
  }
  const path = `/containerLogs/${namespaceOf(pod)}/${encodeURIComponent(call.name)}/${encodeURIComponent(container)}?${query.toString()}`
  return forward(response, { ...kubelet, ...env.kubeletTls, path }, textSocketOf(call))
}

/** What is asked of a log must make sense, whether there is one or not. @throws Fault 422 */
export function checkLogOptions({ query, name }: Call): void {
  const errors: FieldError[] = []
  const numberAt = (option: string): number | undefined => {
    const text = query.get(option) ?? ''
    return text === '' ? undefined : Number(text)
  }
  const [tail, limit, since] = ['tailLines', 'limitBytes', 'sinceSeconds'].map(numberAt)
  if (tail !== undefined && tail < 0) invalidValue(errors, 'tailLines', tail, 'must be greater than or equal to 0')
  if (limit !== undefined && limit < 1) invalidValue(errors, 'limitBytes', limit, 'must be greater than 0')
  if (since !== undefined && (query.get('sinceTime') ?? '') !== '')
    forbid(errors, '[]', 'at most one of `sinceTime` or `sinceSeconds` may be specified')
  else if (since !== undefined && since < 1) invalidValue(errors, 'sinceSeconds', since, 'must be greater than 0')
  if (query.has('stream')) forbid(errors, 'stream', 'may not be specified')
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, name, errors)
}

function forward(
  response: ServerResponse,
  target: { host: string; port: number; path: string; key: string; cert: string },
  textSocket: TextSocket | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...target, method: 'GET', rejectUnauthorized: false, agent: false }, (incoming) => {
      const code = incoming.statusCode ?? 500
      if (code >= 400) {
        collect(incoming, (text) =>
          reject(code === 404 || code === 400 ? badRequest(text.trim()) : new Fault(500, 'InternalError', text.trim())),
        )
        return
      }
      if (textSocket !== undefined) return resolve(sendText(textSocket, response, incoming))
      response.writeHead(code, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' })
      response.flushHeaders()
      incoming.pipe(response)
      incoming.on('end', resolve)
      incoming.on('error', () => response.destroy())
    })
    outgoing.on('error', (error) =>
      reject(
        new Fault(500, 'InternalError', `Get "https://${target.host}:${target.port}${target.path}": ${error.message}`),
      ),
    )
    response.on('close', () => {
      outgoing.destroy()
      resolve()
    })
    outgoing.end()
  })
}

function collect(stream: NodeJS.ReadableStream, done: (text: string) => void): void {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => void (chunks.length < 64 && chunks.push(chunk)))
  stream.on('end', () => done(Buffer.concat(chunks).toString('utf8')))
}
