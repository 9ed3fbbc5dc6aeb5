import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { checkEphemeralChange } from './ephemeral-change.ts'

const AT = 'spec.ephemeralContainers'

test('debug containers stay as they are', () => {
  const one = { name: 'a', image: 'x' }
  const change = (now: JsonObject[]): string[] =>
    told((errors) => checkEphemeralChange({ ephemeralContainers: now }, { ephemeralContainers: [one] }, errors))
  assert.deepEqual(change([one, { name: 'b' }]), [])
  assert.deepEqual(change([{ ...one, resources: {} }]), [])
  assert.deepEqual(change([]), [`${AT}: Forbidden: existing ephemeral containers "a" may not be removed\n`])
  // What the real kube-apiserver 1.37.2 answered.
  assert.deepEqual(change([{ ...one, image: 'y' }]), [
    `${AT}: Forbidden: existing ephemeral containers "a" may not be changed\n@@ -1,6 +1,6 @@\n {\n  "Name": "a",\n- "Image": "x",\n+ "Image": "y",\n  "Command": null,\n  "Args": null,\n  "WorkingDir": "",\n`,
  ])
})

function told(check: (errors: FieldError[]) => void): string[] {
  const errors: FieldError[] = []
  check(errors)
  return errors.map(({ field, message }) => `${field}: ${message}`)
}
