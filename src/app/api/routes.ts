import type { DeliveryView, PageView } from '../page-view.ts'
import { liveRoute, type LiveValue } from './live.ts'
import { problem, type Route } from './route.ts'

/** What the API reads. */
export type RecordReader = {
  readonly view: LiveValue<PageView>
  readonly history: (query: {
    service?: string | undefined
    environment?: string | undefined
    limit: number
  }) => readonly DeliveryView[]
  readonly trace: (what: string) => readonly DeliveryView[]
  /** Everything as Prometheus reads it. */
  readonly metrics: () => string
}

const MOST = 1_000

/** The API of the page and of `status`, `history` and `trace`. */
export function recordRoutes(record: RecordReader): readonly Route[] {
  return [
    liveRoute('/api/v1/live', record.view),
    { method: 'GET', path: '/api/v1/status', role: 'viewer', handle: () => Response.json(record.view.current()) },
    {
      method: 'GET',
      path: '/api/v1/history',
      role: 'viewer',
      handle: (req) => history(record, new URL(req.url).searchParams),
    },
    { method: 'GET', path: '/metrics', role: 'viewer', handle: () => metrics(record) },
    {
      method: 'GET',
      path: '/api/v1/trace/:what',
      role: 'viewer',
      handle: (_, { what = '' }) => Response.json(record.trace(what)),
    },
  ]
}

function metrics(record: RecordReader): Response {
  return new Response(record.metrics(), { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } })
}

function history(record: RecordReader, query: URLSearchParams): Response {
  const limit = Number(query.get('limit') ?? 50)
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST)
    return problem(400, 'LIMIT_INVALID', `limit is a number from 1 to ${MOST}`)
  const service = query.get('service') ?? undefined
  const environment = query.get('environment') ?? undefined
  return Response.json(record.history({ service, environment, limit }))
}
