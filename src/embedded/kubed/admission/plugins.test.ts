import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { serveKubed } from '../serve.ts'

/** What plugins do to a node and a claim that are made on a server without some of them. */
async function madeWithout(...disableAdmissionPlugins: string[]): Promise<{ taints: unknown; finalizers: unknown }> {
  const stateDir = mkdtempSync(join(tmpdir(), 'kubed-plugins-'))
  const kubed = await serveKubed({ stateDir, port: 0, isAlsoPlain: true, disableAdmissionPlugins })
  const make = async (path: string, body: object): Promise<any> => {
    const headers = { authorization: `Bearer ${kubed.token}`, 'content-type': 'application/json' }
    const answer = await fetch(`${kubed.plainServer}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    return answer.json()
  }
  try {
    const node = await make('/api/v1/nodes', { metadata: { name: 'n' } })
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
    const claim = await make('/api/v1/namespaces/default/persistentvolumeclaims', { metadata: { name: 'c' }, spec })
    return { taints: node.spec.taints, finalizers: claim.metadata.finalizers }
  } finally {
    await kubed.close()
    rmSync(stateDir, { recursive: true, force: true })
  }
}

test('a plugin is turned off by its name, and no other with it', async () => {
  const taints = [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]
  const finalizers = ['kubernetes.io/pvc-protection']
  assert.deepEqual(await madeWithout(), { taints, finalizers })
  assert.deepEqual(await madeWithout('TaintNodesByCondition'), { taints: undefined, finalizers })
  assert.deepEqual(await madeWithout('StorageObjectInUseProtection'), { taints, finalizers: undefined })
})
