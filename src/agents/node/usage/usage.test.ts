import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerUse } from '../driver.ts'
import { parseMachine, parseStat, usageOfTree } from './processes.ts'
import { measureSince, type Sample } from './sampler.ts'
import { renderResourceMetrics, renderSummary } from './summary.ts'

const POD = { uid: 'u1', namespace: 'default', name: 'web' }

const use = (cpuMs: number, startedAtMs = 0, attempt = 0): ContainerUse => ({
  uid: 'u1',
  container: 'app',
  attempt,
  startedAtMs,
  cpuNanos: cpuMs * 1e6,
  memoryBytes: 4096,
})

const sample = (atMs: number, ...containers: ContainerUse[]): Sample => ({ atMs, machine: undefined, containers })

const rates: { it: string; now: Sample; earlier: Sample[]; want: [nanoCores: number, windowMs: number] | undefined }[] =
  [
    {
      it: 'since the last look',
      now: sample(20_000, use(3_000)),
      earlier: [sample(10_000, use(1_000))],
      want: [2e8, 1e4],
    },
    {
      it: 'since its start when it is new',
      now: sample(30_000, use(5_000, 20_000)),
      earlier: [sample(15_000)],
      want: [5e8, 1e4],
    },
    {
      it: 'since its start when a restart took its place',
      now: sample(32_000, use(3_000, 20_000, 1)),
      earlier: [sample(15_000, use(900))],
      want: [25e7, 12e3],
    },
    {
      it: 'not over a span that is too short',
      now: sample(20_000, use(3_000)),
      earlier: [sample(19_000, use(2_000)), sample(10_000, use(1_000))],
      want: [2e8, 1e4],
    },
    {
      it: 'without a rate while it is too young for one',
      now: sample(20_000, use(1_000, 11_000)),
      earlier: [sample(5_000)],
      want: undefined,
    },
    { it: 'never below nothing', now: sample(20_000, use(500)), earlier: [sample(10_000, use(900))], want: [0, 1e4] },
  ]

for (const { it, now, earlier, want } of rates)
  test(`usage is told ${it}`, () => {
    const [measured] = measureSince(now, earlier).containers
    assert.deepEqual(measured?.rate, want && { nanoCores: want[0], windowMs: want[1] })
  })

test('a name with spaces and brackets does not move the fields of a process', () => {
  const rest = ' S 7 1 1 0 -1 4194560 1 0 0 0 11 12 13 14 20 0 1 0 100 1000 50'
  assert.deepEqual(parseStat(`42 (a b) c)${rest}`), { parent: 7, cpuTicks: 50 })
  assert.equal(parseStat(''), undefined)
})

test('a tree has the time of all its processes and of nobody else', () => {
  const line = (parent: number, cpuTicks: number) => ({ parent, cpuTicks })
  const processes = new Map([
    [-10, line(1, 5)],
    [-11, line(-10, 7)],
    [-12, line(-11, 9)],
    [-13, line(1, 100)],
  ])
  assert.equal(usageOfTree(processes, -10).cpuNanos, 21 * 10_000_000)
  assert.equal(usageOfTree(processes, -99).cpuNanos, 0)
})

test('of the machine, time that was idle is not used', () => {
  const stat = 'cpu  10 20 30 4000 500 6 7 8 9 0\ncpu0 1 1 1 1\n'
  const memory = 'MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\n'
  assert.deepEqual(parseMachine(stat, memory), { cpuNanos: 81 * 10_000_000, memoryBytes: 600 * 1024 })
  assert.equal(parseMachine('', ''), undefined)
})

test('both documents tell the same', () => {
  const measured = measureSince(sample(20_000, use(3_000)), [sample(10_000, use(1_000))])
  assert.match(
    renderResourceMetrics(measured, [POD]),
    /^container_cpu_usage_seconds_total\{container="app",namespace="default",pod="web"\} 3 20000$/m,
  )
  assert.match(JSON.stringify(renderSummary('node-1', measured, [POD])), /"usageNanoCores":200000000,/)
})
