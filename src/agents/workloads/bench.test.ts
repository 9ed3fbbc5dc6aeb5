import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../../adapters/kube/api-error.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { type Controllers, servedKind, simulateCluster } from '../../../tests/support/simulated-cluster.ts'
import type { Write } from './write.ts'

const job = (name: string): KubeObject => ({
  ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: 'a', name } },
})
const create = (name: string): Write => ({ do: 'create', object: job(name) })
const remove = (name: string): Write => ({ do: 'delete', object: job(name) })

const cases: { it: string; writes: Write[]; asked: string[] }[] = [
  {
    it: 'what is noted after a refused creation is not, whatever came before',
    writes: [remove('old'), create('taken'), { do: 'replace', object: job('noted'), subresource: 'status' }],
    asked: ['create taken', 'remove old'],
  },
  {
    it: 'a creation that is refused ends the batch of its size',
    writes: [create('a'), create('taken'), create('c'), create('d')],
    asked: ['create a', 'create taken', 'create c'],
  },
]
for (const { it, writes, asked } of cases)
  test(it, async () => {
    const { store, run } = simulateCluster(1, [servedKind('batch/v1', 'Job', 'jobs')], 0)
    store.put(job('old'))
    store.put(job('taken'))
    let carriedOut: Promise<void> = Promise.resolve()
    const carryOut: Controllers = (bench) => {
      carriedOut = assert.rejects(bench.carryOut('test', writes), ApiError)
      return []
    }
    const wasAsked: string[] = []
    await run(carryOut, {
      onWrite: ({ verb, args: [to] }) => void wasAsked.push(`${verb} ${to.name ?? to.metadata.name}`),
    })
    await carriedOut
    assert.deepEqual(wasAsked.sort(), asked.sort())
  })
