import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchRoute, type Route } from './route.ts'

const routes: Route[] = [
  { method: 'GET', path: '/', role: 'viewer', handle: () => new Response() },
  { method: 'GET', path: '/api/v1/trace/:what', role: 'viewer', handle: () => new Response() },
]

const cases: [string, string, object | undefined][] = [
  ['GET', '/', {}],
  ['GET', '/api/v1/trace/abc', { what: 'abc' }],
  ['GET', '/api/v1/trace/a%2Fb', { what: 'a/b' }],
  ['GET', '/api/v1/trace/', undefined],
  ['GET', '/api/v1/trace/%zz', undefined],
  ['GET', '/api/v1/trace/a/b', undefined],
  ['POST', '/', undefined],
]
for (const [method, path, want] of cases) {
  test(`${method} ${path} ${want ? 'is served' : 'is not found'}`, () =>
    assert.deepEqual(matchRoute(routes, method, path)?.params, want))
}
