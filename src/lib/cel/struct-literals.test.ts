import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileCel } from './compile.ts'
import { structsAsMaps } from './struct-literals.ts'

test('struct literals are written as maps', () => {
  const cases: [text: string, want: string][] = [
    ['Object{spec: Object.spec{replicas: 3}}', '{"spec": {"replicas": 3}}'],
    [
      'Object {\n  metadata: Object.metadata{labels: {"a": "Object.x{b: 1}"}}\n}',
      ' {\n  "metadata": {"labels": {"a": "Object.x{b: 1}"}}\n}',
    ],
    [
      '[JSONPatch{op: "add", path: "/a", value: x ? Object.spec{a: 1} : 2}]',
      '[{"op": "add", "path": "/a", "value": x ? {"a": 1} : 2}]',
    ],
    ['{"a": b, c: d}', '{"a": b, c: d}'],
    [
      'object.spec.items.map(each, Object.spec.items{name: each.name})',
      'object.spec.items.map(each, {"name": each.name})',
    ],
    ['Object.metadata', 'Object.metadata'],
    ['Object{a: constructor, b: toString}', '{"a": constructor, "b": toString}'],
    ['r"\\{" + \'Object{\'', 'r"\\{" + \'Object{\''],
  ]
  for (const [text, want] of cases) assert.equal(structsAsMaps(text), want)
})

test('a struct stands where its type says', () => {
  assert.throws(() => structsAsMaps('Object{spec: Object.wrong{}}'), {
    code: 'CEL_INVALID',
    message: /unexpected type name "Object.wrong", expected "Object.spec"/,
  })
  assert.doesNotThrow(() => structsAsMaps('Object{spec: Object.spec{list: [Object.spec.list{a: {"b": 1}}]}}'))
})

test('what was a struct evaluates to a map', () => {
  const { evaluateRaw } = compileCel(structsAsMaps('Object{spec: Object.spec{replicas: object.spec.replicas + 1}}'))
  assert.deepEqual(evaluateRaw({ object: { spec: { replicas: 2n } } }), { spec: { replicas: 3n } })
})
