import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kubedOfFile } from '../../../../tests/support/kubed.ts'

const { ask } = kubedOfFile()

const PODS = '/api/v1/namespaces/default/pods'
const BUDGET = '/apis/policy/v1/namespaces/default/poddisruptionbudgets/b'
const MERGE = { 'content-type': 'application/merge-patch+json' }
const labels = { app: 'x' }

const evict = async (name: string): Promise<{ readonly code: number; readonly body: Record<string, unknown> }> => {
  const { code, text } = await ask('POST', `${PODS}/${name}/eviction`, { metadata: { name } })
  return { code, body: JSON.parse(text) as Record<string, unknown> }
}
const say = (status: object): Promise<unknown> => ask('PATCH', `${BUDGET}/status`, { status }, MERGE)
const statusNow = async (): Promise<Record<string, unknown>> =>
  (JSON.parse((await ask('GET', BUDGET)).text) as { status: Record<string, unknown> }).status

test('the last disruption that a budget allows is told as the last, and too many that nobody counts are refused', async () => {
  const spec = { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] }
  for (const name of ['p', 'q']) {
    await ask('POST', PODS, { metadata: { name, labels, finalizers: ['example.com/hold'] }, spec })
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
    await ask('PATCH', `${PODS}/${name}/status`, { status }, MERGE)
  }
  const budget = { metadata: { name: 'b' }, spec: { minAvailable: 1, selector: { matchLabels: labels } } }
  await ask('POST', BUDGET.slice(0, -2), budget)
  const condition = { type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', message: '' }
  const counted = {
    currentHealthy: 2,
    desiredHealthy: 1,
    expectedPods: 2,
    disruptionsAllowed: 1,
    observedGeneration: 1,
  }
  await say({ ...counted, conditions: [{ ...condition, lastTransitionTime: '2026-11-23T04:00:00Z' }] })

  assert.equal((await evict('p')).code, 201)
  const { conditions, disruptionsAllowed, disruptedPods } = await statusNow()
  const [{ lastTransitionTime, ...told } = {}] = conditions as { lastTransitionTime?: string }[]
  assert.equal(disruptionsAllowed, 0)
  assert.deepEqual(Object.keys(disruptedPods as object), ['p'])
  const spent = { ...condition, status: 'False', reason: 'InsufficientPods', observedGeneration: 1 }
  assert.deepEqual(told, spent)
  assert.notEqual(lastTransitionTime, '2026-11-23T04:00:00Z')
  assert.equal((await evict('q')).code, 429)

  const many = Array.from({ length: 2001 }, (_, at) => [`gone-${at}`, '2026-11-23T04:00:00Z'])
  await say({ disruptionsAllowed: 1, disruptedPods: Object.fromEntries(many) })
  const { code, body } = await evict('q')
  assert.deepEqual(
    [code, body['message'], body['details']],
    [
      403,
      'poddisruptionbudget.policy "b" is forbidden: DisruptedPods map too big - too many evictions not confirmed by PDB controller',
      {
        ...{ name: 'b', group: 'policy', kind: 'poddisruptionbudget' },
        causes: [
          {
            reason: 'DisruptionBudget',
            message:
              'The disruption budget b does not allow evicting pods currently: too many pending evictions not confirmed by PDB controller',
          },
        ],
      },
    ],
  )
})
