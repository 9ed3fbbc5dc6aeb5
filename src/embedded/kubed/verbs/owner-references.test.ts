import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuSeconds } from '../../../../tests/support/cpu-time.ts'
import type { Json } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import { objFrom } from '../object.ts'
import { dropRepeatedOwners } from './owner-references.ts'

/** The owners that are left of `owners`, and what the writer is told. */
function leftOf(owners: Json[]): { left: Json | undefined; warnings: string[] } {
  const warnings: string[] = []
  const object = objFrom({ metadata: { name: 'a', ownerReferences: owners } }, 'v1', 'ConfigMap')
  dropRepeatedOwners({ method: 'POST', warnings } as unknown as Call, object)
  return { left: object.metadata.ownerReferences, warnings }
}

const OWNER = { apiVersion: 'v1', kind: 'ConfigMap', name: 'b', uid: 'u1' }

test('an owner that is said twice is kept once, in whatever order its fields stand', () => {
  const other = { ...OWNER, name: 'c' }
  const again = { uid: 'u1', name: 'b', kind: 'ConfigMap', apiVersion: 'v1' }
  const { left, warnings } = leftOf([OWNER, other, again])
  assert.deepEqual(left, [OWNER, other])
  assert.match(warnings.join(), /duplicate UID\(s\) observed: u1$/)
})

test('tens of thousands of owners are looked through as fast as they are read', () => {
  const many = Array.from({ length: 30_000 }, (_, index) => ({ ...OWNER, name: `n${index}` }))
  let found: ReturnType<typeof leftOf> | undefined
  const seconds = cpuSeconds(() => (found = leftOf(many)))
  assert.deepEqual(found, { left: many, warnings: [] })
  assert.ok(seconds < 5, `${seconds} s`)
})
