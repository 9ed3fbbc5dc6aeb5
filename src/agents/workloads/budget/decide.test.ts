import assert from 'node:assert/strict'
import { test } from 'node:test'
import { as, type Pod } from '../shapes.ts'
import { type Budget, type BudgetSeen, decideBudget } from './decide.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const READY = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }

function pod(name: string, more: object = {}): Pod {
  return as<Pod>({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'n' }, spec: {}, ...READY, ...more })
}

function budget(spec: Budget['spec'], status?: Budget['status']): Budget {
  const metadata = { name: 'b', namespace: 'n', generation: 2 }
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec, ...(status && { status }) }
}

function decided(seen: Partial<BudgetSeen>): { readonly status: Record<string, unknown>; readonly told: string[] } {
  const decision = decideBudget({
    ...{
      budget: budget({ minAvailable: 1 }),
      pods: [pod('a'), pod('b')],
      expected: 2,
      hasUnmanaged: false,
      nowMs: NOW,
    },
    ...seen,
  })
  assert.equal(decision.kind, 'done')
  if (decision.kind !== 'done') throw new Error('not done')
  const written = decision.status.flatMap((write) => (write.do === 'replace' ? [write.object] : []))
  return {
    status: as<{ status: Record<string, unknown> } & Budget>(written[0] ?? budget({}, {})).status,
    told: decision.status.flatMap((write) =>
      write.do === 'tell' ? [`${write.tell.reason}: ${write.tell.message}`] : [],
    ),
  }
}

const cases: { it: string; seen: Partial<BudgetSeen>; want: object }[] = [
  {
    it: 'allows what is healthy beyond a number',
    seen: {},
    want: { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 },
  },
  {
    it: 'counts pods that have ended as expected, not as healthy',
    seen: { pods: [pod('a'), pod('b', { status: { phase: 'Succeeded' } })] },
    want: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 2 },
  },
  {
    it: 'rounds a share of what may be missing up',
    seen: { budget: budget({ maxUnavailable: '30%' }), expected: 5 },
    want: { desiredHealthy: 3, expectedPods: 5 },
  },
  {
    it: 'counts nothing where it says nothing',
    seen: { budget: budget({}) },
    want: { desiredHealthy: 0, expectedPods: 0, disruptionsAllowed: 0 },
  },
  {
    it: 'does not count a pod that was allowed to go',
    seen: {
      budget: budget(
        { minAvailable: 1 },
        { disruptedPods: { a: '2026-01-01T11:59:00Z', gone: '2026-01-01T11:59:00Z' } },
      ),
    },
    want: { currentHealthy: 1, disruptedPods: { a: '2026-01-01T11:59:00Z' } },
  },
  {
    it: 'counts it again when it did not go for two minutes',
    seen: { budget: budget({ minAvailable: 1 }, { disruptedPods: { a: '2026-01-01T11:57:00Z' } }) },
    want: { currentHealthy: 2, disruptedPods: undefined },
  },
  {
    it: 'counts it again, but still names it, in the very moment',
    seen: { budget: budget({ minAvailable: 1 }, { disruptedPods: { a: '2026-01-01T11:58:00Z' } }) },
    want: { currentHealthy: 2, disruptedPods: { a: '2026-01-01T11:58:00Z' } },
  },
]
for (const { it, seen, want } of cases)
  test(`a budget ${it}`, () => {
    const { status } = decided(seen)
    assert.deepEqual(Object.fromEntries(Object.keys(want).map((key) => [key, status[key]])), want)
  })

test('a pod that did not go although it was allowed to is told of', () => {
  const { told } = decided({ budget: budget({ minAvailable: 1 }, { disruptedPods: { a: '2026-01-01T11:57:59Z' } }) })
  assert.deepEqual(told, [`NotDeleted: Pod was expected by PDB n/n to be deleted but it wasn't`])
})

test('a budget that cannot be counted allows nothing, and says of which generation it was last true', () => {
  const why = 'jobs.batch does not implement the scale subresource'
  const first = decided({ budget: budget({ maxUnavailable: 1 }), expected: { why } })
  assert.deepEqual(first.told, [
    `CalculateExpectedPodCountFailed: Failed to calculate the number of expected pods: ${why}`,
  ])
  const condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    lastTransitionTime: '2026-01-01T12:00:00Z',
    reason: 'SyncFailed',
    message: why,
  }
  assert.deepEqual(first.status['conditions'], [condition])
  assert.equal(first.status['expectedPods'], 0)
  const later = decided({
    budget: budget({ maxUnavailable: 1 }, { observedGeneration: 1, expectedPods: 3 }),
    expected: { why },
  })
  assert.deepEqual(later.status['conditions'], [{ ...condition, observedGeneration: 1 }])
  assert.equal(later.status['expectedPods'], 3)
})
