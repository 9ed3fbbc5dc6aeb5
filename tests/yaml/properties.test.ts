// What was written is read as what it was, and written the same again: of random values, and of every text of tests/yaml/generate-yaml.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../src/lib/error/sluice-error.ts'
import { duplicateKeyError, parseDocuments } from '../../src/lib/yaml/parse-documents.ts'
import { reprintedValue } from '../../src/lib/yaml/write/reprint.ts'
import { writeYaml } from '../../src/lib/yaml/write/write.ts'
import { randomOf, type Random } from '../kustomize/generate-tree.ts'
import { generateYaml } from './generate-yaml.ts'

/** A key `<<` that was in quotes is written without them, as by Go's libraries, and so is read as a merge from then on. */
const MERGE_KEY = /<<:/

test('random values are read as they were written, and written the same again', () => {
  let count = 0
  const r = randomOf(20261126)
  for (let round = 0; round < 3000; round++) {
    const value = { a: randomValue(r, 0) }
    const text = writeYaml(value)
    if (MERGE_KEY.test(text)) continue
    const back = read(text)
    assert.deepEqual(back, value, text)
    assert.equal(writeYaml(back), text)
    count++
  }
  assert.ok(count > 2000, `${count} values`)
})

test('every generated text that is read is written the same twice', () => {
  let count = 0
  for (const source of generateYaml()) {
    const value = readable(source)
    if (value === undefined) continue
    const text = writeYaml(value)
    if (MERGE_KEY.test(text)) continue
    assert.equal(writeYaml(read(text)), text, JSON.stringify(source))
    count++
  }
  assert.ok(count > 4000, `${count} texts`)
})

function read(text: string): unknown {
  const [document] = parseDocuments(text)
  assert.ok(document?.root, text)
  const duplicate = duplicateKeyError(document)
  if (duplicate) throw duplicate
  return reprintedValue(document.root)
}

/** The value of a text; undefined where it is refused or holds none. */
function readable(text: string): unknown {
  try {
    return parseDocuments(text)[0]?.root && read(text)
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}

const PARTS = [
  ...['a', 'word', 'long-word-without-end', 'é', '中文', '😀', '0', '1.5', '0x1F', '1e3', '2001-01-01', '12:30:45'],
  ...[
    'yes',
    'null',
    '~',
    'true',
    '<<',
    '=',
    ' ',
    '  ',
    '\n',
    '\n\n',
    '\t',
    ': ',
    ' #',
    '- ',
    '? ',
    '|',
    '>',
    '%',
    '@',
    '`',
  ],
  ...[
    '"',
    "'",
    '\\',
    '[',
    ']',
    '{',
    '}',
    ',',
    '&x',
    '*x',
    '!x',
    '---',
    '...',
    '\u00a0',
    '\u0001',
    '\r',
    '$(x)',
    '.inf',
  ],
]

function randomText(r: Random): string {
  return Array.from({ length: Math.floor(r.next() ** 3 * 40) }, () => r.pick(PARTS) + (r.chance(0.5) ? ' ' : '')).join(
    '',
  )
}

function randomValue(r: Random, depth: number): unknown {
  const kind = Math.floor(r.next() * (depth > 4 ? 4 : 7))
  if (kind === 0) return randomText(r)
  if (kind === 1) return r.pick(PARTS)
  if (kind === 2)
    return r.pick([0, 1, -7, 0.5, -1e-7, 1e21, 123456789.125, 9007199254740991, 12345678901234567890n, 4.9e-324])
  if (kind === 3) return r.pick([true, false, null, {}, []])
  const items = Array.from({ length: 1 + Math.floor(r.next() * 4) }, () => randomValue(r, depth + 1))
  if (kind === 4) return items
  return Object.fromEntries(items.map((item) => [r.chance(0.3) ? randomText(r) : r.pick(PARTS), item]))
}
