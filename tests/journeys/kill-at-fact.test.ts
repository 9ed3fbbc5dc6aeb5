import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { after, before, test } from 'node:test'
import { BORDERS } from '../../src/pipeline/record/delivery.ts'
import { readRuns } from '../../src/agents/runner/records.ts'
import { assertCommittedOnce, untilAllHealthy, untilRecorded } from './crash.ts'
import { processesIn, tryKill } from '../support/processes.ts'
import {
  change,
  cloneOf,
  git,
  historyOf,
  keptPorts,
  type Product,
  scratch,
  startProduct,
  statusOf,
  untilDelivered,
} from './product.ts'
import { LONG_MS, PATIENCE_MS, until } from '../support/wait.ts'

// `kill -9` at every fact of a delivery, before the fact is on disk and after it: the next start goes on where it was, by itself. Pods are
// simulated; kill.test.ts kills with real ones, `npm run soak -- kill` at random. Of the example there is one service in one environment and no
// test in its workflow: what a start costs grows with what it finds, and here are many.
const space = scratch()
const state = join(space.dir, 'state')
const asked = join(space.dir, 'kill-at.json')
const repository = join(space.dir, 'vps')
/** What an Alert has sent, as it arrived. */
const letters: { readonly reason: string; readonly revision: string }[] = []
let onLetter: () => void = () => undefined
let mailbox: Server
const ports = await keptPorts()
let product: Product
let clone = ''

before(
  async () => {
    mailbox = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const { reason, metadata } = JSON.parse(Buffer.concat(chunks).toString()) as Letter
      letters.push({ reason, revision: metadata?.['kustomize.toolkit.fluxcd.io/revision'] ?? metadata?.revision ?? '' })
      onLetter()
      response.end()
    })
    await new Promise<void>((listening) => mailbox.listen(0, '127.0.0.1', listening))
    makeRepository((mailbox.address() as AddressInfo).port)
    product = await start()
    await untilAllHealthy(product, 1)
    mkdirSync(join(space.dir, 'clones'))
    clone = cloneOf(product, join(space.dir, 'clones'), 'develop')
  },
  { timeout: LONG_MS },
)
after(async () => {
  await product?.kill('SIGTERM')
  for (const pid of processesIn(state)) tryKill(pid)
  mailbox.close()
  space.release()
})

type Letter = { readonly reason: string; readonly metadata?: Readonly<Record<string, string>> }

type Moment = {
  readonly it: string
  /** `null`: without that field. */
  readonly at: Readonly<Record<string, unknown>>
  /** Also when it is on disk already, which tells apart what was done from what is told. */
  readonly isEffect?: true
}

/** The facts of a delivery, in their order. */
const facts: readonly Moment[] = [
  { it: 'a push is received', at: { kind: 'push' }, isEffect: true },
  { it: 'a run is queued', at: { kind: 'run', state: 'queued' } },
  { it: 'a run begins', at: { kind: 'run', state: 'running' }, isEffect: true },
  { it: 'an image is built and about to be pushed', at: { kind: 'image', intended: true } },
  { it: 'an image is pushed', at: { kind: 'image', intended: null }, isEffect: true },
  { it: 'a policy chooses', at: { kind: 'policy' } },
  { it: 'a run has succeeded', at: { kind: 'run', state: 'succeeded' } },
  { it: 'a write-back is about to be pushed', at: { kind: 'write-back', intended: true } },
  { it: 'a write-back is pushed', at: { kind: 'write-back', intended: null }, isEffect: true },
  { it: 'an artifact is made', at: { kind: 'source' } },
  { it: 'a build is done', at: { kind: 'build' } },
  { it: 'an apply is about to begin', at: { kind: 'apply', intended: true } },
  { it: 'an apply is done', at: { kind: 'apply', intended: null }, isEffect: true },
  { it: 'a pod is ready', at: { kind: 'pod', ready: true } },
  { it: 'everything is healthy', at: { kind: 'health', state: 'healthy' } },
]

for (const { it, at, isEffect } of facts)
  for (const afterMs of isEffect ? [0, 25] : [0])
    test(`kill -9 ${afterMs === 0 ? 'as' : `${afterMs} ms after`} ${it}: the next start finishes it once`, async () => {
      git(clone, 'pull', '--quiet', '--rebase')
      writeFileSync(asked, JSON.stringify({ ...at, afterMs }))
      const commit = pushed(`${it} ${afterMs}`)
      await killed()
      product = await start()
      await arrivedOnce(commit)
    })

for (const [it, delayMs] of [
  ['while a message is being sent', 0],
  ['right after a message was sent', 25],
] as const)
  test(`kill -9 ${it}: it arrives, and so does all else`, async () => {
    git(clone, 'pull', '--quiet', '--rebase')
    onLetter = () => {
      onLetter = () => undefined
      setTimeout(() => tryKill(product.pid), delayMs)
      if (delayMs === 0) tryKill(product.pid)
    }
    const commit = pushed(it)
    await killed()
    product = await start()
    await arrivedOnce(commit)
  })

const start = (): Promise<Product> => {
  process.env['SLUICE_KILL_AT'] = asked
  const hook = pathToFileURL(resolve('tests/journeys/kill-at-fact.mjs')).href
  return startProduct(state, repository, ['--node', 'sim', ...ports], ['--import', hook])
}

/** Pushes a change of the gateway; the product may be killed before it answers. Answers the commit. */
function pushed(text: string): string {
  const edit = (source: string): string => source.replace(/^const name = .*$/m, (line) => `// ${text}\n${line}`)
  const commit = change(clone, 'api-gateway/server.mjs', edit, `feat: ${text}`, ['--dry-run', 'origin', 'HEAD'])
  spawnSync('git', ['push', '--quiet', 'origin', 'HEAD'], { cwd: clone })
  return commit
}

async function killed(): Promise<void> {
  const late = setTimeout(() => tryKill(product.pid), PATIENCE_MS)
  await product.exited
  clearTimeout(late)
  assert.ok(!product.output().includes('stopping'))
  rmSync(asked, { force: true })
}

/** Delivered with every border in the record, by one run, one delivery, one commit; and who asked to be told was told. */
async function arrivedOnce(commit: string): Promise<void> {
  await untilDelivered(product, 'api-gateway', 'staging', commit)
  await untilRecorded(product, { commit, service: 'api-gateway', environment: 'staging' }, BORDERS)
  await untilAllHealthy(product, 1)
  const deliveries = (await historyOf(product)).filter((one) => one.commit === commit)
  assert.deepEqual(
    deliveries.map(({ service, environment, state: end }) => [service, environment, end]),
    [['api-gateway', 'staging', 'done']],
  )
  assert.equal(readRuns(join(state, 'runs')).filter(({ event }) => event.commit === commit).length, 1)
  assertCommittedOnce(state, ['develop'])
  assert.deepEqual((await statusOf(product)).stops, [])
  git(clone, 'fetch', '--quiet')
  const applied = git(clone, 'rev-parse', 'origin/develop')
  await until(
    `a message tells of ${applied.slice(0, 7)}`,
    () => letters.some(({ reason, revision }) => reason === 'ReconciliationSucceeded' && revision.endsWith(applied)),
    () => JSON.stringify(letters.slice(-20)),
  )
}

/** The example's gateway in staging, and an Alert that tells of it. */
function makeRepository(mailPort: number): void {
  cpSync(resolve('examples/vps'), repository, { recursive: true })
  const file = (name: string): string => join(repository, name)
  const edit = (name: string, from: RegExp): void =>
    writeFileSync(file(name), readFileSync(file(name), 'utf8').replaceAll(from, ''))
  for (const other of ['api-generation', 'api-enrichment'])
    for (const name of [other, `apps/${other}`, `.github/workflows/${other}-build.yml`])
      rmSync(file(name), { recursive: true })
  writeFileSync(file('apps/kustomization.yaml'), 'resources: [api-gateway]\n')
  writeFileSync(file('clusters/vps/kustomization.yaml'), 'resources: [namespaces.yaml, staging.yaml, alert.yaml]\n')
  writeFileSync(file('clusters/vps/alert.yaml'), alertTo(mailPort))
  edit('clusters/vps/staging.yaml', / {4}- apiVersion: apps\/v1\n.*\n.*api-(generation|enrichment)\n.*\n/g)
  edit('environments/staging/kustomization.yaml', /.*api-(generation|enrichment)\n.*\n/g)
  edit('.github/workflows/api-gateway-build.yml', /.*name: Test\n.*\n/g)
}

function alertTo(port: number): string {
  return `apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: { name: mailbox, namespace: flux-system }
spec: { type: generic, address: 'http://127.0.0.1:${port}/' }
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: { name: staging, namespace: flux-system }
spec:
  providerRef: { name: mailbox }
  eventSources: [{ kind: Kustomization, name: staging }]
`
}
