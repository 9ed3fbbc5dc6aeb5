import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpKubeClient } from '../../../adapters/kube/client.ts'
import { resize } from './resize.ts'

const scale = (
  resourceVersion: string,
): { apiVersion: string; kind: string; metadata: { name: string; resourceVersion: string } } => ({
  apiVersion: 'autoscaling/v1',
  kind: 'Scale',
  metadata: { name: 'web', resourceVersion },
})

/** A server whose scale somebody else has changed `ahead` times since it was read. */
function serverAt(ahead: number, refusal = 409): { client: Pick<HttpKubeClient, 'raw'>; written: unknown[] } {
  let version = 1
  const written: unknown[] = []
  const client: Pick<HttpKubeClient, 'raw'> = {
    raw: (method, _path, body) => {
      if (method === 'GET') return Promise.resolve({ status: 200, text: JSON.stringify(scale(String(version))) })
      if (version > ahead) written.push(body)
      else version++
      const isRefused = written.length === 0
      return Promise.resolve({ status: isRefused ? refusal : 200, text: isRefused ? '{"message":"no"}' : '{}' })
    },
  }
  return { client, written }
}

const cases: { it: string; ahead: number; refusal?: number; error: string | undefined; version?: string }[] = [
  { it: 'writes what it read', ahead: 0, error: undefined, version: '0' },
  { it: 'reads again where somebody else wrote', ahead: 2, error: undefined, version: '3' },
  { it: 'gives up after five tries', ahead: 9, error: 'no' },
  { it: 'does not insist on what is refused', ahead: 1, refusal: 403, error: 'no' },
]
for (const { it, ahead, refusal, error, version } of cases)
  test(`a size: ${it}`, async () => {
    const { client, written } = serverAt(ahead, refusal)
    assert.equal(await resize(client, { path: '/scale', body: scale('0') }, 3), error)
    assert.deepEqual(written, version === undefined ? [] : [{ ...scale(version), spec: { replicas: 3 } }])
  })
