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

test('below what must not change declarations look at nothing, and the faults stay where they were found', () => {
  const errors = [
    fault('roleRef.name', 'Required'),
    fault('subjects[0].namespace', 'Required'),
    { field: 'roleRef', type: 'Invalid', message: 'Invalid value: {}: field is immutable' } as const,
  ]
  assert.deepEqual(orderFaults('rbac.authorization.k8s.io/rolebindings', [...errors]), errors)
})

test('of a new storage class the faults are told in the order of its fields', () => {
  const errors = [
    fault('provisioner', 'Invalid'),
    fault('parameters', 'TooLong'),
    fault('reclaimPolicy', 'NotSupported'),
  ]
  assert.deepEqual(orderFaults('storage.k8s.io/storageclasses', [...errors]), errors)
})

test('of a storage class that changes the provisioner is told of before the parameters', () => {
  const changed = (field: string): FieldError => ({
    field,
    type: 'Invalid',
    message: 'Invalid value: null: field is immutable',
  })
  const errors = [changed('parameters'), fault('provisioner', 'Required'), changed('provisioner')]
  const told = orderFaults('storage.k8s.io/storageclasses', errors).map(({ field, type }) => `${field} ${type}`)
  assert.deepEqual(told, ['provisioner Required', 'provisioner Invalid', 'parameters Invalid'])
})
