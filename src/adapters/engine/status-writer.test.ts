import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../lib/kube/object.ts'
import { ApiError } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/types.ts'
import { writeStatus } from './status-writer.ts'

const object: KubeObject = {
  ...{ apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' },
  metadata: { name: 'app', namespace: 'ns', resourceVersion: '1' },
}
const answering = (error: Error): KubeClient => ({ patch: () => Promise.reject(error) }) as unknown as KubeClient

for (const { status, reason, want } of [
  { status: 422, reason: 'Invalid', want: { code: 'STATUS_REFUSED', retry: 'spec' } },
  { status: 413, reason: 'RequestEntityTooLarge', want: { code: 'STATUS_REFUSED', retry: 'spec' } },
  { status: 401, reason: 'Unauthorized', want: { name: 'ApiError' } },
  { status: 403, reason: 'Forbidden', want: { name: 'ApiError' } },
  { status: 409, reason: 'Conflict', want: { name: 'ApiError' } },
  { status: 429, reason: 'TooManyRequests', want: { name: 'ApiError' } },
  { status: 503, reason: 'ServiceUnavailable', want: { name: 'ApiError' } },
])
  test(`a status that is answered by ${reason} is ${'code' in want ? 'not written again' : 'tried again'}`, () =>
    assert.rejects(writeStatus(answering(new ApiError(status, reason, 'no')), object, { a: 1 }, 'm'), want))

test('a status of what is gone, and one that is shown already, is none to write', async () => {
  assert.equal(await writeStatus(answering(new ApiError(404, 'NotFound', 'gone')), object, { a: 1 }, 'm'), undefined)
  const shown = { ...object, status: { a: 1 } }
  assert.equal(await writeStatus(answering(new Error('asked')), shown, { a: 1, b: undefined }, 'm'), shown)
})
