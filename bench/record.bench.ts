/**
 * The record of a team that delivers a lot: how long a start takes to read it, and what it holds in memory, after 3,000 and after 30,000 deliveries of eight
 * services. Prints a JSON line a number.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openFactStore } from '../src/adapters/store/facts.ts'
import { keepRecord } from '../src/app/record/record-keeper.ts'
import type { FactBody } from '../src/pipeline/record/fact.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const SERVICES = 8
let nowMs = Date.UTC(2026, 0, 1)

for (const deliveries of [3000, 30_000]) {
  const dir = mkdtempSync(join(tmpdir(), 'bench-record-'))
  feed(dir, deliveries)
  measure(dir, `record, ${deliveries} deliveries`)
  rmSync(dir, { recursive: true })
}

function feed(dir: string, deliveries: number): void {
  const { store, record } = open(dir)
  const before = cpuMs()
  for (let number = 0; number < deliveries; number++) for (const fact of factsOf(number)) void record.report(fact)
  const facts = deliveries * factsOf(9).length
  say(`record, ${deliveries} deliveries, a fact told`, (cpuMs() - before) / facts, 'ms of processor')
  store.close()
}

function measure(dir: string, name: string): void {
  const heapBefore = heapMib()
  const startedMs = cpuMs()
  const { store, record } = open(dir)
  say(`${name}, read at the start`, cpuMs() - startedMs, 'ms of processor')
  say(`${name}, in memory`, heapMib() - heapBefore, 'MiB')
  const askedMs = cpuMs()
  record.ledgerOfTrace(commitOf(1))
  say(`${name}, trace of the first`, cpuMs() - askedMs, 'ms of processor')
  say(`${name}, on disk`, statSync(join(dir, 'record.db')).size / 2 ** 20, 'MiB')
  store.close()
}

function open(dir: string) {
  const store = openFactStore(join(dir, 'record.db'))
  return { store, record: keepRecord(store, { nowMs: () => (nowMs += 1000) }) }
}

function factsOf(number: number): readonly FactBody[] {
  const service = `service-${number % SERVICES}`
  const [commit, config, tag] = [commitOf(number), commitOf(number).replaceAll('a', 'b'), `1.0.${number}`]
  const versionOf = (index: number): number => number - ((number - index + SERVICES) % SERVICES)
  const workloads = Array.from({ length: SERVICES }, (_, index) => ({
    ...{ namespace: 'shop', name: `service-${index}`, images: [`r.test/service-${index}:1.0.${versionOf(index)}`] },
  }))
  const run = {
    kind: 'run',
    runId: `r${number}`,
    workflow: service,
    event: 'push',
    ref: 'refs/heads/main',
    commit,
  } as const
  const image = { image: `r.test/${service}`, tag }
  const of = { kustomization: 'flux-system/shop', revision: `main@sha1:${config}` }
  const pod = { kind: 'pod', namespace: 'shop', workload: service, image: image.image } as const
  return [
    {
      kind: 'push',
      repository: 'shop',
      ref: 'refs/heads/main',
      commit,
      before: '',
      author: 'a',
      message: 'm',
      committedAt: '',
    },
    ...[
      { ...run, state: 'running' } as const,
      { kind: 'image', ...image, digest: `sha256:${number}`, commit, runId: `r${number}` } as const,
    ],
    { ...run, state: 'succeeded' },
    { kind: 'policy', policy: `shop/${service}`, ...image, considered: number },
    { kind: 'write-back', automation: 'shop/all', branch: 'main', commit: config, images: [image] },
    { kind: 'source', source: 'flux-system/shop', revision: of.revision, commit: config },
    { kind: 'build', ...of, ok: true, workloads },
    { kind: 'apply', ...of, ok: true, changes: [{ object: `Deployment/shop/${service}`, action: 'configured' }] },
    { ...pod, pod: `${service}-${number}`, digest: `sha256:${number}`, ready: true },
    { ...pod, pod: `${service}-${number - SERVICES}`, digest: `sha256:${number - SERVICES}`, ready: false, gone: true },
    { kind: 'health', ...of, state: 'healthy' },
  ]
}

function commitOf(number: number): string {
  return number.toString(16).padStart(8, '0').padEnd(40, 'a')
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function heapMib(): number {
  collect()
  return process.memoryUsage().heapUsed / 2 ** 20
}

function say(name: string, value: number, unit: string): void {
  console.log(JSON.stringify({ name, value: Number(value.toFixed(2)), unit }))
}
