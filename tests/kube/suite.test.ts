// One suite for every Kubernetes API: kubed, the real one, and any other by SLUICE_TEST_KUBECONFIG.
import { after, before, describe } from 'node:test'
import { applyTests } from './apply.ts'
import { invariantTests } from './invariants.ts'
import { listTests } from './lists.ts'
import { objectTests } from './objects.ts'
import { type Api, targets } from './server.ts'
import { watchTests } from './watches.ts'

for (const target of targets)
  describe(`on ${target.name}`, { skip: target.skip }, () => {
    let api: Api | undefined
    before(async () => {
      api = await target.start()
    })
    after(() => api?.close())
    const inNamespace = async (): Promise<{ api: Api; namespace: string }> => {
      if (api === undefined) throw new Error('not started')
      const made = await api.call('POST', '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { generateName: 'suite-' },
      })
      return { api, namespace: made.body.metadata.name }
    }
    for (const tests of [objectTests, applyTests, listTests, watchTests, invariantTests]) tests(inNamespace)
  })
