// api-gateway: answers GET / by asking api-generation and api-enrichment.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'

const name = 'api-gateway'
const version = process.env.APP_VERSION ?? 'dev'
const upstreams = {
  generation: process.env.GENERATION_URL ?? 'http://api-generation',
  enrichment: process.env.ENRICHMENT_URL ?? 'http://api-enrichment',
}
const requests = new Map()

export const server = createServer(async (req, res) => {
  const correlationId = req.headers['x-correlation-id'] ?? randomUUID()
  const path = new URL(req.url, 'http://localhost').pathname
  const { status, body } = await answer(path, correlationId)
  requests.set(status, (requests.get(status) ?? 0) + 1)
  const isText = typeof body === 'string'
  res.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', 'x-correlation-id': correlationId })
  res.end(isText ? body : JSON.stringify(body))
  if (path !== '/health') console.log(JSON.stringify({ time: new Date().toISOString(), service: name, version, correlationId, path, status }))
})

async function answer(path, correlationId) {
  if (path === '/health') return { status: 200, body: { status: 'ok', service: name, version } }
  if (path === '/version') return { status: 200, body: { service: name, version } }
  if (path === '/metrics') return { status: 200, body: metrics() }
  if (path !== '/') return { status: 404, body: { error: `no such path: ${path}` } }
  try {
    const [generation, enrichment] = await Promise.all([ask(upstreams.generation, correlationId), ask(upstreams.enrichment, correlationId)])
    return { status: 200, body: { service: name, version, generation, enrichment } }
  } catch (error) {
    return { status: 502, body: { service: name, version, error: error.message } }
  }
}

async function ask(url, correlationId) {
  const response = await fetch(url, { headers: { 'x-correlation-id': correlationId }, signal: AbortSignal.timeout(5_000) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return response.json()
}

function metrics() {
  const lines = [...requests].map(([status, count]) => `http_requests_total{service="${name}",status="${status}"} ${count}`)
  return ['# TYPE http_requests_total counter', ...lines, ''].join('\n')
}

if (process.env.NODE_ENV !== 'test') {
  server.listen(Number(process.env.PORT ?? 8080))
  // Requests that are on their way are answered before the process ends.
  process.on('SIGTERM', () => server.close(() => process.exit(0)))
}
