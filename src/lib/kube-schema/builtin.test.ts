import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definition, definitionsOf, schemaFor } from './builtin.ts'

for (const name of ['constructor', 'toString', '__proto__'])
  test(`there is no kind, package or definition of the name ${name}`, () => {
    assert.equal(schemaFor('v1', name), undefined)
    assert.equal(schemaFor(`${name}/v1`, 'Pod'), undefined)
    assert.equal(definitionsOf(name), undefined)
    assert.equal(definition(`io.k8s.api.core.v1.${name}`), undefined)
  })
