import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { recordRoutes, type RecordReader } from '../src/app/api/routes.ts'
import { runRoutes } from '../src/app/api/run-routes.ts'
import { servePage } from '../src/app/api/serve-page.ts'
import { SluiceError } from '../src/lib/error/sluice-error.ts'
import { treeOfFiles } from '../src/lib/kustomize/files/tree.ts'
import { buildKustomization } from '../src/pipeline/build/build-kustomization.ts'

// Published advisories of this field: each is a test somewhere (docs/compat/advisories.md), and those here that concern no one room.
type Advisory = { readonly ids: string; readonly tests?: readonly string[]; readonly why?: string }
const advisories = JSON.parse(readFileSync('tests/fixtures/flux-advisories.json', 'utf8')) as readonly Advisory[]

test('every advisory is a test that is there, or there is a reason', () => {
  for (const { ids, tests = [], why } of advisories) {
    assert.ok(tests.length > 0 || why !== undefined, ids)
    for (const one of tests) {
      const [file = '', name = ''] = one.split(/: (.*)/)
      assert.ok(readFileSync(file, 'utf8').includes(name), `${ids}: ${one}`)
    }
  }
})

const quiet = { view: { current: () => ({}) }, history: () => [], trace: () => [] } as unknown as RecordReader
async function withPage(run: (ask: (path: string, init?: RequestInit) => Promise<Response>) => Promise<void>) {
  const page = await servePage(0, recordRoutes(quiet), 'hash', () => undefined)
  try {
    await run((path, init) => fetch(new URL(path, page.url), init))
  } finally {
    await page.close()
  }
}

test('CVE-2024-22424: the page changes nothing, whoever asks', async () => {
  for (const { method, path } of recordRoutes(quiet)) assert.equal(method, 'GET', path)
  await withPage(async (ask) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
      assert.equal((await ask('/api/v1/status', { method })).status, 404)
  })
})

test('CVE-2024-22424: what ends a run asks for the token, which no browser adds by itself', async () => {
  const cancelled: string[] = []
  const routes = runRoutes('secret', (id, by) => (cancelled.push(`${id} by ${by}`), 'W'))
  const page = await servePage(0, routes, 'hash', () => undefined)
  const ask = (user?: string, method = 'POST') => {
    const authorization = `Basic ${Buffer.from(user ?? '').toString('base64')}`
    const headers = new Headers(user === undefined ? [] : [['authorization', authorization]])
    return fetch(new URL('/api/v1/runs/7/cancel', page.url), { method, headers })
  }
  try {
    for (const user of [undefined, 'ada:guessed', 'ada:', 'secret']) {
      const refused = await ask(user)
      assert.deepEqual([refused.status, refused.headers.get('www-authenticate')], [401, null])
    }
    assert.equal((await ask('ada:secret', 'GET')).status, 404)
    assert.deepEqual(cancelled, [])
    assert.equal((await ask('ada:secret')).status, 202)
    assert.deepEqual(cancelled, ['7 by ada'])
  } finally {
    await page.close()
  }
})

test('CVE-2024-37152: the page listens on loopback, answers to its own names alone, and lists no settings', async () => {
  const text = readFileSync('src/app/api/serve-page.ts', 'utf8')
  assert.match(text, /server\.listen\(port, '127\.0\.0\.1'/)
  await withPage(async (ask) => {
    for (const path of [
      '/api/v1/settings',
      '/api/v1/session',
      '/access.json',
      '/../access.json',
      '/.sluice/access.json',
    ])
      assert.equal((await ask(path)).status, 404, path)
  })
})

test('CVE-2024-28175: text of strangers is text on the page, and no script but its own runs', async () => {
  const html = readFileSync('src/app/dashboard/page.html', 'utf8')
  assert.doesNotMatch(
    html,
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|javascript:|\bon(click|load|error)=/,
  )
  await withPage(async (ask) => {
    const { headers } = await ask('/api/v1/status')
    const policy = headers.get('content-security-policy') ?? ''
    for (const rule of [/default-src 'none'/, /script-src 'sha256-hash'/, /base-uri 'none'/, /frame-ancestors 'none'/])
      assert.match(policy, rule)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
  })
})

test('CVE-2025-55190: an error of a route shows its words, not what lies behind them', async () => {
  const broken = {
    ...quiet,
    trace: () => {
      const cause = new Error('hunter2')
      throw new SluiceError('OBJECT_MISSING', 'there is no such delivery', { cause })
    },
  } as unknown as RecordReader
  const page = await servePage(0, recordRoutes(broken), 'hash', () => undefined)
  try {
    const answer = await fetch(new URL('/api/v1/trace/x', page.url))
    const text = await answer.text()
    assert.match(text, /there is no such delivery/)
    assert.doesNotMatch(text, /hunter2|at .*\.ts:/)
  } finally {
    await page.close()
  }
})

/** Chance that nobody has to guess: delays, ports, which of several. */
const BY_CHANCE = [
  'src/adapters/engine/start.ts',
  'src/adapters/kube/transport.ts',
  'src/adapters/kube/watch-cache.ts',
  'src/adapters/kube/watch-stream.ts',
  'src/agents/node/keeper/udp.ts',
  'src/agents/node/network/host-ports.ts',
  'src/agents/node/start.ts',
  'src/app/state/ports.ts',
]
test('CVE-2022-31034: what must not be guessed comes from the system, never from Math.random', () => {
  const files = (readdirSync('src', { recursive: true }) as string[]).filter((name) => /(?<!\.test)\.ts$/.test(name))
  const found = files
    .map((name) => join('src', name))
    .filter((path) => readFileSync(path, 'utf8').includes('Math.random'))
  assert.deepEqual(found.sort(), BY_CHANCE)
})

const programs: Record<string, object> = {
  'an exec generator': { generators: ['g.yaml'] },
  'a function in a container': { transformers: ['g.yaml'] },
  'a chart with a helm command of its own': {
    helmCharts: [{ name: 'x', repo: 'https://example.com' }],
    helmGlobals: { chartHome: '/tmp' },
  },
}
for (const [what, kustomization] of Object.entries(programs))
  test(`Synacktiv: ${what} runs nothing`, () => {
    const plugin = {
      ...{ apiVersion: 'example.com/v1', kind: 'Plug' },
      metadata: {
        name: 'p',
        annotations: { 'config.kubernetes.io/function': 'exec: {path: ./run.sh}\ncontainer: {image: evil}\n' },
      },
    }
    const files = new Map([
      ['/kustomization.yaml', JSON.stringify(kustomization)],
      ['/g.yaml', JSON.stringify(plugin)],
      ['/run.sh', '#!/bin/sh\ntouch /tmp/ran\n'],
    ])
    assert.throws(
      () => buildKustomization({ tree: treeOfFiles(files), path: './', spec: {}, traps: 'flux' }),
      SluiceError,
    )
  })
