import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pruneRoutes } from '../../api/prune-routes.ts'
import { matchRoute } from '../../api/route.ts'
import type { PruneOptions, PruneReport } from '../../prune/pruner.ts'
import { renderPrune } from './prune.ts'

const digest = `sha256:${'a'.repeat(64)}`
const report = (isDryRun: boolean): PruneReport => ({
  isDryRun,
  images: {
    kept: [{ repository: 'web', digest, tags: ['2', 'latest'], why: 'Git asks for it in default/web' }],
    removed: [{ repository: 'web', digest, tags: [], why: 'nothing needs it' }],
    freedBytes: 5 << 20,
  },
  runs: [],
  builderBytes: undefined,
  nodeBytes: 100,
})

test('a dry run shows what stays and why, a real one what went', () => {
  const sums = [
    '  1 of 2 images in the registry: 5.0 MiB',
    '  workflow runs: 0',
    '  unused steps and bases of image builds: not now, something is built',
    '  unused images of the node: 1 KiB',
  ]
  assert.deepEqual(renderPrune(report(true)).split('\n'), [
    'ACTION   IMAGE                     WHY',
    'keep     web:2 +1                  Git asks for it in default/web',
    `remove   web@${digest.slice(0, 19)}   nothing needs it`,
    '',
    'would be removed:',
    ...sums,
  ])
  assert.match(renderPrune(report(false)), /^ACTION {4}IMAGE .*\nremoved {3}web@.*\n\nremoved:\n/)
})

const asks: readonly [string, string, string | undefined, number, PruneOptions | undefined][] = [
  ['GET', '', undefined, 200, { dryRun: true }],
  ['GET', '?newest=3&days=0', undefined, 200, { dryRun: true, newest: 3, days: 0 }],
  ['GET', '?newest=0', undefined, 400, undefined],
  ['GET', '?days=soon', undefined, 400, undefined],
  ['POST', '', undefined, 401, undefined],
  ['POST', '', 'wrong', 401, undefined],
  ['POST', '?days=1', 'secret', 200, { dryRun: false, days: 1 }],
]
for (const [method, query, password, status, want] of asks)
  test(`${method} of the prune route ${query} with ${password ?? 'no password'} answers ${status}`, async () => {
    let asked: PruneOptions | undefined
    const routes = pruneRoutes('secret', (options) => {
      asked = options
      return Promise.resolve(report(options.dryRun))
    })
    const found = matchRoute(routes, method, '/api/v1/prune')
    const headers: Record<string, string> =
      password === undefined ? {} : { authorization: `Basic ${btoa(`ann:${password}`)}` }
    const answer = await found?.route.handle(new Request(`http://x/api/v1/prune${query}`, { method, headers }), {})
    assert.equal(answer?.status, status)
    assert.deepEqual(asked, want)
  })
