import { request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { asJson, type JsonObject, objectOf } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import { kubeletOf } from '../subresources/kubelet.ts'

const PATIENCE_MS = 5_000
const MAX_BYTES = 16 * 1024 * 1024

/** What a node measures, from its kubelet API; undefined when it does not answer. */
export function askNode(env: Environment, nodeName: string): Promise<JsonObject | undefined> {
  const target = { ...kubeletOf(env, nodeName), ...env.kubeletTls, path: '/stats/summary', timeout: PATIENCE_MS }
  return new Promise((resolve) => {
    const give = (why: string): void => {
      env.log(`kubed: node ${nodeName} does not say what is used: ${why}`)
      resolve(undefined)
    }
    const asked = request({ ...target, rejectUnauthorized: false, agent: false }, (answer) => {
      if (answer.statusCode === 200) return void collect(answer).then(resolve, (error) => give(String(error)))
      answer.resume()
      give(`its kubelet answers ${answer.statusCode}`)
    })
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')))
    // the node starts or stops, and its conditions say so
    asked.on('error', (error) => (isNobodyThere(error) ? resolve(undefined) : give(error.message)))
    asked.end()
  })
}

/** Whether nobody listens, or did no longer when the connection came to its turn. */
export function isNobodyThere({ code, syscall }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNREFUSED' || (code === 'ECONNRESET' && syscall === 'connect')
}

async function collect(answer: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer) {
    size += chunk.length
    if (size > MAX_BYTES) throw new Error(`its answer is longer than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return objectOf(asJson(JSON.parse(Buffer.concat(chunks).toString('utf8'))))
}
