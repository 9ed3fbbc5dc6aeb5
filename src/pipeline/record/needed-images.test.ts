import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Delivery } from './delivery.ts'
import { emptyLedger, newDelivery } from './ledger.ts'
import { neededImages } from './needed-images.ts'

const HOST = 'registry.sluice.local'

function delivery(n: number, more: Partial<Delivery> = {}): Delivery {
  const at = new Date(n * 60_000).toISOString()
  return {
    ...newDelivery({
      id: `d${n}`,
      service: 'web',
      environment: 'default',
      kind: 'image',
      commit: `c${n}`,
      startedAt: at,
    }),
    ...{ image: `${HOST}/web`, version: `v${n}`, digest: `sha256:${n}`, state: 'done', endedAt: at },
    ...more,
  }
}

function needed(deliveries: readonly Delivery[]): readonly string[] {
  const ledger = emptyLedger()
  for (const one of deliveries) ledger.deliveries.set(one.id, one)
  const tags = neededImages(ledger, HOST).filter(({ version }) => version.startsWith('v'))
  return tags.map(({ repository, version }) => `${repository}:${version}`)
}

const many = Array.from({ length: 14 }, (_, n) => delivery(n))

test('the last ten images of a service in an environment are needed, of each environment', () => {
  const staging = [delivery(100, { environment: 'staging', version: 'v100' })]
  const want = [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 100].map((n) => `web:v${n}`)
  assert.deepEqual(needed([...many, ...staging]), want)
})

test('an image that was delivered again counts once; one that was overtaken or failed does not', () => {
  const again = [14, 15, 16].map((n) => delivery(n, { version: 'v13', digest: 'sha256:13' }))
  const lost = [delivery(17, { state: 'superseded' }), delivery(18, { state: 'failed' })]
  assert.deepEqual(needed([...many, ...again, ...lost]).length, 10)
  assert.equal(needed([...many, ...again, ...lost]).includes('web:v17'), false)
})

test('what is on its way is needed, however much there is', () => {
  const open = Array.from({ length: 12 }, (_, n) => delivery(20 + n, { state: 'running', endedAt: undefined }))
  assert.equal(needed([...many, ...open]).length, 22)
})

test('what Git asks for is needed, of this registry alone', () => {
  const ledger = emptyLedger()
  const images = [`${HOST}/web:v1@sha256:1`, `${HOST}/api`, 'ghcr.io/other:v3']
  ledger.workloads.set('default/web', { namespace: 'default', name: 'web', images, kustomization: 'flux-system/prod' })
  const found = neededImages(ledger, HOST).map(({ repository, version }) => `${repository} ${version}`)
  assert.deepEqual(found, ['web sha256:1', 'web v1', 'api latest'])
})
