import assert from 'node:assert/strict'
import { totalmem } from 'node:os'
import { test } from 'node:test'
import { resourceValue } from './fields.ts'

const limits = { cpu: '1500u', memory: '123456789', 'hugepages-2Mi': '4Mi' }
const requests = { cpu: '250m', memory: '100m' }

// values of v1.37.2 (pkg/api/v1/resource)
const cases: [resource: string, divisor: string | undefined, want: string][] = [
  ['limits.cpu', undefined, '1'],
  ['limits.cpu', '1m', '2'],
  ['requests.cpu', '1m', '250'],
  ['requests.cpu', '100m', '3'],
  ['requests.cpu', '0', '1'],
  ['limits.memory', '1Mi', '118'],
  ['limits.memory', '1k', '123457'],
  ['limits.memory', '1m', '123456789'],
  ['requests.memory', '1', '1'],
  ['requests.memory', '1Gi', '1'],
  ['requests.ephemeral-storage', '1', '0'],
  ['limits.ephemeral-storage', '1Gi', '100'],
  ['limits.hugepages-2Mi', '1Mi', '4'],
  ['limits.hugepages-1Gi', '1Mi', '0'],
]
for (const [resource, divisor, want] of cases)
  test(`${resource} in units of ${divisor ?? 'nothing'} is ${want}`, () => {
    const container = { name: 'c', image: 'i', resources: { limits, requests } }
    assert.equal(resourceValue(container, { resource, ...(divisor === undefined ? {} : { divisor }) }), want)
  })

test('what is not limited is limited by the machine, also where the limit is 0', () => {
  const container = { name: 'c', image: 'i', resources: { limits: { memory: '0' } } }
  const kib = String(Math.ceil(Math.floor(totalmem() / 1024)))
  assert.equal(resourceValue(container, { resource: 'limits.memory', divisor: '1Ki' }), kib)
})

test('a resource that the downward API does not have is refused', () => {
  assert.throws(
    () => resourceValue(undefined, { resource: 'limits.pods' }),
    /unsupported container resource : limits.pods/,
  )
})
