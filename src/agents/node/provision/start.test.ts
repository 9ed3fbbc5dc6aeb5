import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { PROVISIONER } from './plan.ts'
import { startProvisioner } from './start.ts'

const UID = '0f8fad5b-d9cb-469f-a165-70867728950e'
const claim: KubeObject = {
  ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
  metadata: {
    ...{ name: 'data', namespace: 'a', uid: UID },
    annotations: { 'volume.kubernetes.io/storage-provisioner': PROVISIONER },
  },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
}

test('a volume that the API did not take is made again by itself, once', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'provision-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const volumes: KubeObject[] = []
  const later: (() => void)[] = []
  let refusals = 1
  const never = () => () => undefined
  const provisioner = startProvisioner({
    client: {
      get: () => Promise.resolve(undefined),
      delete: () => Promise.resolve(true),
      create(object) {
        if (refusals-- > 0) return Promise.reject(new ApiError(503, 'ServiceUnavailable', 'no room'))
        volumes.push(object)
        return Promise.resolve(object)
      },
    },
    clock: { after: (_afterMs, task) => (later.push(task), () => undefined) },
    claims: { list: () => [claim], onChange: never },
    volumes: { list: () => volumes, get: () => volumes[0], onChange: never },
    ...{ node: 'node-1', folder, record: () => undefined, log: () => undefined },
  })
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  await settled()
  assert.deepEqual([volumes.length, later.length], [0, 1])
  later[0]?.()
  await settled()
  assert.deepEqual([volumes.map(({ metadata }) => metadata.name), later.length], [[`pvc-${UID}`], 1])
  assert.ok(existsSync(join(folder, `pvc-${UID}`)))
  provisioner.close()
})
