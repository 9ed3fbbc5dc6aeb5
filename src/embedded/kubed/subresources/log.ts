import type { ServerResponse } from 'node:http'
import { request } from 'node:https'
import type { Readable } from 'node:stream'
import { describeError } from '../../../lib/error/sluice-error.ts'
import { stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { badRequest, type FieldError, Fault, invalid } from '../fault.ts'
import { namespaceOf, type Obj, specOf } from '../object.ts'
import { forbid, invalidValue } from '../validation/fault-list.ts'
import { containerOf } from './container.ts'
import { kubeletOf } from './kubelet.ts'
import { sendText, type TextSocket, textSocketOf } from './log-socket.ts'

/** As much as kube-apiserver reads of one. */
const MAX_REFUSAL_BYTES = 50_000
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
      if (code >= 400) return void refusalOf(code, incoming).then(reject)
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

/** What a kubelet says instead of a log, or that it does not say it to its end. */
async function refusalOf(code: number, answer: Readable): Promise<Fault> {
  const chunks: Buffer[] = []
  let left = MAX_REFUSAL_BYTES
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk.subarray(0, left))
      left -= chunk.length
      if (left <= 0) break
    }
  } catch (error) {
    return internalError(`the answer of the kubelet: ${describeError(error)}`)
  }
  const text = Buffer.concat(chunks).toString('utf8').trim()
  return code === 404 || code === 400 ? badRequest(text) : internalError(text)
}

const internalError = (why: string): Fault => new Fault(500, 'InternalError', `Internal error occurred: ${why}`)
