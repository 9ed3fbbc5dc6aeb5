import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../../adapters/kube/api-error.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { troubledCluster } from '../../../tests/support/troubled-cluster.ts'
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
    asked: ['delete old', 'create taken'],
  },
  {
    it: 'a creation that is refused ends the batch of its size',
    writes: [create('a'), create('taken'), create('c'), create('d')],
    asked: ['create a', 'create taken', 'create c'],
  },
]
for (const { it, writes, asked } of cases)
  test(it, async () => {
    const cluster = troubledCluster(1, 0)
    cluster.put(job('old'))
    cluster.put(job('taken'))
    const { bench, leave } = cluster.join()
    await assert.rejects(bench.carryOut('test', writes), ApiError)
    leave()
    assert.deepEqual(
      cluster.attempts.map(({ verb, name }) => `${verb} ${name}`),
      asked,
    )
  })
