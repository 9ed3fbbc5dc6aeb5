// api-enrichment: answers GET / with facts about a text.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'

const name = 'api-enrichment'
const version = process.env.APP_VERSION ?? 'dev'
const requests = new Map()

export const server = createServer((req, res) => {
  const correlationId = req.headers['x-correlation-id'] ?? randomUUID()
  const path = new URL(req.url, 'http://localhost').pathname
  const { status, body } = answer(path)
  requests.set(status, (requests.get(status) ?? 0) + 1)
  const isText = typeof body === 'string'
  res.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', 'x-correlation-id': correlationId })
  res.end(isText ? body : JSON.stringify(body))
  if (path !== '/health') console.log(JSON.stringify({ time: new Date().toISOString(), service: name, version, correlationId, path, status }))
})

function answer(path) {
  if (path === '/health') return { status: 200, body: { status: 'ok', service: name, version } }
  if (path === '/version') return { status: 200, body: { service: name, version } }
  if (path === '/metrics') return { status: 200, body: metrics() }
  if (path === '/') return { status: 200, body: { service: name, version, facts: { words: 5, language: 'en' } } }
  return { status: 404, body: { error: `no such path: ${path}` } }
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
