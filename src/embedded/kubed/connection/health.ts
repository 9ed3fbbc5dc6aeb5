import type { ServerResponse } from 'node:http'
import type { Environment } from '../environment.ts'
import { plain, plainNotFound } from './plain.ts'

/** What each endpoint looks at, under the names that the real server gives to the same; etcd is the store. */
const CHECKS: Readonly<Record<string, readonly string[]>> = {
  healthz: ['ping', 'log', 'etcd'],
  livez: ['ping', 'log', 'etcd'],
  readyz: ['ping', 'log', 'etcd', 'etcd-readiness', 'informer-sync', 'shutdown'],
}

/** True for `/healthz`, `/livez/ping` and the like. */
export const isHealthPath = (path: string): boolean => /^\/(healthz|livez|readyz)(\/|$)/.test(path)

/**
 * Answers how the server is: `ok`, or with `?verbose` a line for each check; `?exclude=NAME` leaves one out. 500 when a check fails.
 *
 * @see k8s.io/apiserver/pkg/server/healthz
 */
export function serveHealth(env: Environment, path: string, query: URLSearchParams, response: ServerResponse): void {
  const [, endpoint = '', ...rest] = path.split('/')
  const checks = CHECKS[endpoint] ?? []
  const [only] = rest
  if (only !== undefined && (rest.length > 1 || !checks.includes(only))) return plainNotFound(response)
  const excluded = new Set(query.getAll('exclude').flatMap((each) => each.split(',')))
  const wanted = only === undefined ? checks : [only]
  const fault = env.store.fault()
  const failed = wanted.filter((check) => !excluded.has(check) && fault !== undefined && check.startsWith('etcd'))
  // who asks for one check asks for no judgement of the server
  if (only === undefined)
    for (const check of wanted) if (!excluded.has(check)) env.meter.judged(endpoint, check, !failed.includes(check))
  const lines = wanted.map((check) => {
    if (excluded.has(check)) return `[+]${check} excluded: ok\n`
    return failed.includes(check) ? `[-]${check} failed: reason withheld\n` : `[+]${check} ok\n`
  })
  const unknown = [...excluded].filter((each) => !wanted.includes(each)).sort()
  if (unknown.length > 0)
    lines.push(
      `warn: some health checks cannot be excluded: no matches for ${unknown.map((each) => JSON.stringify(each)).join(', ')}\n`,
    )
  const isShown = query.has('verbose') || failed.length > 0
  const text = isShown ? `${lines.join('')}${endpoint} check ${failed.length > 0 ? 'failed' : 'passed'}\n` : 'ok'
  plain(response, text, failed.length > 0 ? 500 : 200)
}
