import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decidePod, type Run, type Seen } from './decide.ts'
import { freshHealth } from './probes/probe-state.ts'
import type { Container, PodSpec, Resources } from './shapes.ts'
import { whyInfeasible } from './resize.ts'
import { renderPodStatus } from './status.ts'

const NOW = 1_000_000_000
const had: Resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '1Gi' } }
const web: Container = { name: 'web', image: 'x:1', resources: had }
const RESTART = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }]
const run: Run = { uid: 'u', container: 'web', attempt: 0, imageId: 'x', startedAtMs: NOW, restartsInARow: 0 }

const seen = (container: Partial<Container>, spec: Partial<PodSpec> = {}, over: Partial<Seen> = {}): Seen => ({
  nowMs: NOW,
  pod: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-1', namespace: 'default', uid: 'u' },
    spec: { containers: [{ ...web, ...container }], ...spec },
  },
  sandbox: { uid: 'u', ip: '10.42.0.2' },
  isCutOff: false,
  setupFault: undefined,
  images: new Map(),
  runs: new Map([['web', run]]),
  startFaults: new Map(),
  health: new Map([['web', freshHealth(web)]]),
  evicted: undefined,
  stopping: new Map(),
  drain: 'none',
  given: new Map([['web', had]]),
  capacity: { cpuMillis: 2_000, memoryBytes: 2 ** 31 },
  inFlight: new Set(),
  former: new Map(),
  ...over,
})

const more: Resources = { requests: { cpu: '200m', memory: '64Mi' }, limits: { memory: '1Gi' } }
const larger: Resources = { ...had, limits: { memory: '2Gi' } }
const cases: { it: string; seen: Seen; want: string[] }[] = [
  { it: 'is left alone with what it has', seen: seen({}), want: [] },
  {
    it: 'is left alone with the same in other words',
    seen: seen({ resources: { ...had, limits: { memory: '1024Mi' } } }),
    want: [],
  },
  { it: 'is given more', seen: seen({ resources: more }), want: ['resize'] },
  {
    it: 'is started anew when it wants that',
    seen: seen({ resources: larger, resizePolicy: RESTART }),
    want: ['stop'],
  },
  {
    it: 'is given more of what needs no new start',
    seen: seen({ resources: more, resizePolicy: RESTART }),
    want: ['resize'],
  },
  {
    it: 'is given more where a start would be its end',
    seen: seen({ resources: larger, resizePolicy: RESTART }, { restartPolicy: 'Never' }),
    want: ['resize'],
  },
  { it: 'is left alone by a driver that cannot', seen: seen({ resources: more }, {}, { given: new Map() }), want: [] },
  { it: 'is not given more than there is', seen: seen({ resources: { requests: { cpu: '3' } } }), want: [] },
]
for (const { it, seen: given, want } of cases)
  test(`a container ${it}`, () => {
    const { steps } = decidePod(given)
    assert.deepEqual(
      steps.map((step) => step.do),
      want,
    )
  })

test('the status says what was given, and why nothing more is', () => {
  const status = renderPodStatus(seen({ resources: { requests: { cpu: '3' } } }), '10.42.0.1')
  const [container] = status.containerStatuses ?? []
  assert.deepEqual([container?.resources, container?.allocatedResources], [had, had.requests])
  const pending = status.conditions?.find(({ type }) => type === 'PodResizePending')
  assert.equal(pending?.reason, 'Infeasible')
  assert.equal(pending?.message, "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000")
})

test('what just fits is not too much, however it is divided', () => {
  const asked = (...cpus: string[]) => ({
    containers: cpus.map((cpu) => ({ ...web, resources: { requests: { cpu } } })),
  })
  // in floating point these are more than two processors
  assert.equal(whyInfeasible(seen({}, asked('1100m', '700m', '200m'))), undefined)
  assert.match(whyInfeasible(seen({}, asked('1100m', '700m', '200001u'))) ?? '', /cpu, requested: 2001, capacity: 2000/)
})
