// The YAML reader and writer against Go's libraries: thousands of texts of tests/yaml/generate-yaml.ts with what the libraries that
// kustomize 5.8.1 is built with made of them. The fixture names their versions.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { SluiceError } from '../../src/lib/error/sluice-error.ts'
import { duplicateKeyError, parseDocuments } from '../../src/lib/yaml/parse-documents.ts'
import { reprintedValue } from '../../src/lib/yaml/write/reprint.ts'
import { toValue } from '../../src/lib/yaml/to-value.ts'
import { writeYaml } from '../../src/lib/yaml/write/write.ts'
import { generateYaml } from './generate-yaml.ts'

type Golden = { readonly text: string; readonly json?: string } & (
  { readonly yaml: string } | { readonly error: string }
)

const { cases } = JSON.parse(gunzipSync(readFileSync('tests/fixtures/yaml-golden.json.gz')).toString()) as {
  readonly cases: readonly Golden[]
}

/** What we do otherwise, and why. */
const DIFFERENCES: readonly { readonly why: string; readonly of: RegExp }[] = [
  {
    why: 'Go corrupts line separators and byte order marks inside a text (U+0085, U+2028, U+2029, U+FEFF)',
    of: /[\u0085\u2028\u2029\ufeff]|\\[NLP]|\\u(?:2028|2029|0085|FEFF|feff|FFFE)/,
  },
  { why: 'the escape \\/ of JSON is read; kyaml refuses it', of: /\\\// },
  { why: 'a quoted << is a key like any other; Go loses it', of: /^(?:c: \{)?(?:!!str |")<</ },
  { why: 'a null as key is read as text; kyaml trips over its own copy', of: /^(?:null|Null|NULL|~): / },
  { why: 'an anchor or a question mark without its node', of: /^(?:x: \{)?&[ax]: |^(?:- |x: \{)\?(?:\n|:)|^\[!/ },
  {
    why: 'Go refuses an unsigned integer and nothing at all as !!float',
    of: /!!float (?:9223|1844|0xf|0177|>)|!!int >/,
  },
  { why: 'a control character in a key is written', of: /^"\\x(?:7f|80)": / },
  {
    why: 'kio cuts documents by their lines and reads the first part of each',
    of: /^\[a?\](?:\n|b?\])|^\{a: b\}\nc|^%.*\n---|^\.\.\.|^(?:null|~)$|\n--- x/,
  },
]

test('the golden texts are the generated ones', () => {
  const known = new Set(generateYaml())
  assert.ok(cases.length > 5000)
  assert.deepEqual(
    cases.filter(({ text }) => !known.has(text)),
    [],
  )
})

test('texts are read and written as Go does, byte for byte', () => {
  const wrong = cases.filter((golden) => {
    if (DIFFERENCES.some(({ of }) => of.test(golden.text))) return false
    const mine = rewritten(golden.text)
    return 'error' in golden ? mine !== undefined : mine !== golden.yaml
  })
  assert.deepEqual(
    wrong.slice(0, 20).map((golden) => ({ ...golden, mine: rewritten(golden.text) })),
    [],
  )
})

test('every named difference is one', () => {
  for (const { why, of } of DIFFERENCES)
    assert.ok(
      cases.some(
        (golden) => of.test(golden.text) && rewritten(golden.text) !== ('yaml' in golden ? golden.yaml : undefined),
      ),
      why,
    )
})

test('plain values are read by the older rules as Go does', () => {
  const wrong = cases.filter(({ text, json }) => {
    if (json === undefined || !/^(?:a: |- |\[)[^\n]+\n$/.test(text) || DIFFERENCES.some(({ of }) => of.test(text)))
      return false
    if (/[?!{]/.test(text)) return false
    const root = parseDocuments(text)[0]?.root
    return JSON.stringify(root && toValue(root, { rules: 'v2' })) !== JSON.stringify(JSON.parse(json))
  })
  assert.deepEqual(
    wrong.map(({ text, json }) => [text, json]),
    [],
  )
})

test('what was written is read as the same value', () => {
  for (const golden of cases) {
    const mine = rewritten(golden.text)
    if (mine === undefined || mine === '' || /[\u0085\u2028\u2029]|<</.test(mine)) continue
    assert.equal(rewritten(mine), mine, golden.text)
  }
})

/** The text that Go's libraries would make of a text; undefined when it is refused. */
function rewritten(text: string): string | undefined {
  try {
    const [document] = parseDocuments(text)
    if (document?.root === undefined) return ''
    const duplicate = duplicateKeyError(document)
    if (duplicate) throw duplicate
    return writeYaml(reprintedValue(document.root))
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}
