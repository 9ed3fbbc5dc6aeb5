import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLinear } from '../../../tests/support/cpu-time.ts'
import type { Source, YamlScalar } from './nodes.ts'
import { parseDocuments } from './parse-documents.ts'
import { positionOf } from './position.ts'

/** The text inside the scalar of `patch`, as a reader of that text gets it. */
function inside(text: string): { source: Source; value: string } {
  const [document] = parseDocuments(text, 'k.yaml')
  const { root } = document ?? {}
  const scalar = root?.kind === 'map' ? root.fields.get('patch') : undefined
  assert.equal(scalar?.kind, 'scalar')
  const { value } = scalar as YamlScalar
  return { source: { file: 'k.yaml', text: value, within: { scalar: scalar as YamlScalar, offset: 0 } }, value }
}

for (const [it, text, sign, want] of [
  ['a literal block', 'a: 1\npatch: |\n  - b\n    c\n', 'c', [4, 5]],
  ['a block of another indentation', 'patch: |2\n     b\n    c\n', 'c', [3, 5]],
  ['a block behind an empty line', 'patch: |\n\n   b\n', 'b', [3, 4]],
  ['a plain text', 'a: 1\npatch: b c\n', 'c', [2, 10]],
  ['a folded text, whose lines are gone', 'a: 1\npatch: >\n  b\n  c\n', 'c', [2, 8]],
] as const)
  test(`a place inside ${it} is told in the file around it`, () => {
    const { source, value } = inside(text)
    const { line, column } = positionOf(source, value.indexOf(sign))
    assert.deepEqual([line, column], want)
  })

test('all places of a text are told in time that grows with it', () => {
  assertLinear((lines) => {
    const { source } = inside(`patch: |\n${'  b: 1\n'.repeat(lines)}`)
    for (const text of [source, { file: 'b.yaml', text: source.text }])
      for (let at = 0; at < text.text.length; at += 5) positionOf(text, at)
  }, 40_000)
})
