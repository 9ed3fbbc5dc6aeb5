import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemaFor } from '../../../lib/kube-schema/builtin.ts'
import { type JsonObject, objectOf, objectsOf } from '../../../lib/kube/json.ts'
import { shapeLikeGo } from './go-shape.ts'
import { decodeTyped } from './typed.ts'

test('base64 with very much padding inside is refused at once', () => {
  const secret = schemaFor('v1', 'Secret')
  assert.ok(secret)
  const padding = '='.repeat(1024 * 1024)
  assert.throws(() => decodeTyped(secret, { data: { a: `QUJD${padding}Q` } }, '', { unknown: [] }), {
    message: /illegal base64 data at input byte/,
  })
})

// What kube-apiserver 1.37.2 keeps of a schema that stands in another one.
const parts: { it: string; part: JsonObject; want: JsonObject }[] = [
  {
    it: 'no fields that are empty',
    part: { items: { type: 'string', description: '', enum: [], nullable: false, default: null } },
    want: { items: { type: 'string' } },
  },
  {
    it: 'no fields that schemas do not have, and tells nobody',
    part: { additionalProperties: { type: 'array', items: { type: 'string', more: 1 } } },
    want: { additionalProperties: { type: 'array', items: { type: 'string' } } },
  },
  { it: 'a boolean where one may stand', part: { additionalProperties: false }, want: { additionalProperties: false } },
  { it: 'nothing where no schema can be', part: { items: true }, want: {} },
]
for (const { it, part, want } of parts)
  test(`a part of a schema keeps ${it}`, () => {
    const schema = schemaFor('apiextensions.k8s.io/v1', 'CustomResourceDefinition')
    assert.ok(schema)
    const definition = {
      spec: { versions: [{ schema: { openAPIV3Schema: { properties: { a: structuredClone(part) } } } }] },
    }
    const unknown: string[] = []
    const decoded = objectOf(decodeTyped(schema, definition, '', { unknown }))
    shapeLikeGo(schema, decoded)
    const [version] = objectsOf(objectOf(decoded.spec).versions)
    const { properties } = objectOf(objectOf(version?.schema).openAPIV3Schema)
    assert.deepEqual([objectOf(properties).a, unknown], [want, []])
  })

test('a part of a schema of another type is refused where it stands', () => {
  const schema = schemaFor('apiextensions.k8s.io/v1', 'CustomResourceDefinition')
  assert.ok(schema)
  const openAPIV3Schema = { items: { properties: { a: { items: { type: 5 } } } } }
  const definition = { spec: { versions: [{ schema: { openAPIV3Schema } }] } }
  assert.throws(() => decodeTyped(schema, definition, '', { unknown: [] }), {
    message:
      'json: cannot unmarshal number into Go struct field JSONSchemaProps.spec.versions.schema.openAPIV3Schema.items.properties.items.type of type string',
  })
})
