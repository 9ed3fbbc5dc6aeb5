import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openKubed } from '../../../../tests/support/kubed.ts'

/** What plugins do to a node and a claim that are made on a server without some of them. */
async function madeWithout(...disableAdmissionPlugins: string[]): Promise<{ taints: unknown; finalizers: unknown }> {
  const { ask, close } = await openKubed(disableAdmissionPlugins)
  try {
    const { body: node } = await ask('POST', '/api/v1/nodes', { metadata: { name: 'n' } })
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
    const claims = '/api/v1/namespaces/default/persistentvolumeclaims'
    const { body: claim } = await ask('POST', claims, { metadata: { name: 'c' }, spec })
    return { taints: node.spec.taints, finalizers: claim.metadata.finalizers }
  } finally {
    await close()
  }
}

test('a plugin is turned off by its name, and no other with it', async () => {
  const taints = [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]
  const finalizers = ['kubernetes.io/pvc-protection']
  assert.deepEqual(await madeWithout(), { taints, finalizers })
  assert.deepEqual(await madeWithout('TaintNodesByCondition'), { taints: undefined, finalizers })
  assert.deepEqual(await madeWithout('StorageObjectInUseProtection'), { taints, finalizers: undefined })
})
