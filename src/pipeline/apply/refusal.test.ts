import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObjectRef } from '../../lib/kube/object.ts'
import { refusalToTell } from './refusal.ts'

const refOf = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'a', name })
const [first, second] = [refOf('first'), refOf('second')]
const refused = (ref: ObjectRef, message = ref.name) => ({ ref, error: new Error(message) })
const both = [refused(first), refused(second)]

const cases: { it: string; told: Error | undefined; want: string | undefined }[] = [
  { it: 'none of none', told: refusalToTell([], first), want: undefined },
  { it: 'the first in order', told: refusalToTell(both, undefined), want: 'first' },
  { it: 'the early one before it', told: refusalToTell(both, second), want: 'second' },
  {
    it: 'the first where the early one lacks rights',
    told: refusalToTell([refused(first), refused(second, 'x cannot patch resource y')], second),
    want: 'first',
  },
]
for (const { it, told, want } of cases) test(`of several refusals ${it}`, () => assert.equal(told?.message, want))
