import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { ObjectRef } from '../../../lib/kube/object.ts'
import { setSuspended } from './suspend.ts'

const ref: ObjectRef = {
  ...{ apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' },
  ...{ namespace: 'flux-system', name: 'apps' },
}
const refused = (status: number) => ({
  patch: async () => Promise.reject(new ApiError(status, 'Why', 'no')),
})

test('whoever may patch and not get an object may suspend it', async () => {
  const lines: string[] = []
  const sent: unknown[] = []
  const client = {
    patch: async (...args: unknown[]) => {
      sent.push(args[2])
      return { apiVersion: ref.apiVersion, kind: ref.kind, metadata: { name: ref.name } }
    },
  }
  await setSuspended(client, ref, true, { out: (line) => lines.push(line) })
  assert.deepEqual(sent, [{ spec: { suspend: true } }])
  assert.deepEqual(lines, ['✔ Kustomization apps in flux-system namespace suspended'])
})

test('an object that is not there is told with where to look', () =>
  assert.rejects(setSuspended(refused(404), ref, true, { out: () => undefined }), {
    code: 'OBJECT_MISSING',
    message: 'Kustomization "apps" not found in flux-system namespace',
  }))

test('whoever may not patch is told so', () =>
  assert.rejects(setSuspended(refused(403), ref, true, { out: () => undefined }), ApiError))
