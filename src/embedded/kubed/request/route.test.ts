import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLinear } from '../../../../tests/support/cpu-time.ts'
import { parseRoute, type Route } from './route.ts'

const POD: Extract<Route, { kind: 'resource' }> = {
  kind: 'resource',
  group: '',
  version: 'v1',
  namespace: 'a',
  plural: 'pods',
  name: 'p',
  subresource: '',
  rest: '',
  isWatchPath: false,
}
const cases: readonly { path: string; want: Route }[] = [
  { path: '/api/v1/namespaces/a/pods/p', want: POD },
  { path: '//api/v1/namespaces/a/pods/p//', want: POD },
  { path: '/api/v1/namespaces%2Fa/pods/%70', want: POD },
  { path: '/api/v1/namespaces/a/pods/%zz', want: { ...POD, name: '%zz' } },
  { path: '/api', want: { kind: 'versions', root: 'api' } },
  { path: '/', want: { kind: 'other', path: '/' } },
]
for (const { path, want } of cases) test(`${path} names a ${want.kind}`, () => assert.deepEqual(parseRoute(path), want))

test('a path of many slashes is read in time that grows with it', () =>
  assertLinear((size) => {
    const path = `/a${'/'.repeat(size)}b`
    assert.deepEqual(parseRoute(path), { kind: 'other', path })
  }, 200_000))
