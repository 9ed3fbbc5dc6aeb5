import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FieldError } from '../fault.ts'
import { orderFaults } from './told-last.ts'

const fault = (field: string, type: FieldError['type']): FieldError => ({ field, type, message: '' })

test('faults that declarations find come after all others, in the order of the declarations', () => {
  const errors = [
    fault('roleRef.name', 'Required'),
    fault('subjects[0].name', 'Required'),
    fault('subjects[1].kind', 'NotSupported'),
  ]
  const told = orderFaults('rbac.authorization.k8s.io/rolebindings', errors).map(({ field }) => field)
  assert.deepEqual(told, ['subjects[1].kind', 'subjects[0].name', 'roleRef.name'])
  assert.equal(orderFaults('/pods', errors), errors)
})
