import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { checkEphemeral } from './ephemeral-checks.ts'

const POD = { containers: [{ name: 'app' }], initContainers: [{ name: 'init' }] }
const AT = 'spec.ephemeralContainers'

const added: { it: string; containers: JsonObject[]; want: string[] }[] = [
  { it: 'takes one that looks at another', containers: [{ name: 'a', targetContainerName: 'init' }], want: [] },
  {
    it: 'refuses a name that is taken',
    containers: [{ name: 'app' }, { name: 'a' }, { name: 'a' }],
    want: [`${AT}[0].name: Duplicate value: "app"`, `${AT}[2].name: Duplicate value: "a"`],
  },
  {
    it: 'refuses a target that is no container of the pod',
    containers: [{ name: 'a' }, { name: 'b', targetContainerName: 'a' }],
    want: [`${AT}[1].targetContainerName: Not found: "a"`],
  },
  {
    it: 'refuses what a pod would depend on',
    containers: [{ name: 'a', ports: [{}], lifecycle: { preStop: {} }, resources: {} }],
    want: ['ports', 'lifecycle'].map(
      (field) => `${AT}[0].${field}: Forbidden: cannot be set for an Ephemeral Container`,
    ),
  },
  {
    it: 'refuses a part of a volume',
    containers: [{ name: 'a', volumeMounts: [{}, { subPath: 'x' }] }],
    want: [`${AT}[0].volumeMounts[1].subPath: Forbidden: cannot be set for an Ephemeral Container`],
  },
]

for (const { it, containers, want } of added)
  test(`a debug container: ${it}`, () => {
    assert.deepEqual(
      told((errors) => checkEphemeral({ ...POD, ephemeralContainers: containers }, 'spec', errors)),
      want,
    )
  })

function told(check: (errors: FieldError[]) => void): string[] {
  const errors: FieldError[] = []
  check(errors)
  return errors.map(({ field, message }) => `${field}: ${message}`)
}
