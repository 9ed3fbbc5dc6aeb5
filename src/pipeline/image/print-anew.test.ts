import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applySetters } from './setters.ts'

const MARKER = ' # {"$imagepolicy": "ns:app:tag"}'

// Each `want` is what Flux's image-automation-controller 1.2.4 makes of the text, `@` stands for the marker.
const cases: { it: string; text: string; want: string; tag?: string }[] = [
  {
    it: 'indents by two, a list by none where the first is four deeper',
    text: 'a:\n    b:\n        - tag: x@\n    c:\n    - 1\n',
    want: 'a:\n  b:\n  - tag: 1.1.0@\n  c:\n  - 1\n',
  },
  {
    it: 'indents lists where the first one is',
    text: 'a:\n  - 1\nb:\n- tag: "1"@\n',
    want: 'a:\n  - 1\nb:\n  - tag: "1.1.0"@\n',
  },
  {
    it: 'keeps no blank lines but those of comments',
    text: '# head\n\na: 1\n\n\ntag: x@\n\n# end\n',
    want: '# head\n\na: 1\ntag: 1.1.0@\n\n# end\n',
  },
  {
    it: 'drops documents that hold nothing',
    text: '# only this\n---\ntag: x@\n---\n---\n# b\nb:   1\n',
    want: 'tag: 1.1.0@\n---\n# b\nb: 1\n',
  },
  { it: 'writes line feeds alone', text: 'a: 1\r\ntag: x@\r\n', want: 'a: 1\ntag: 1.1.0@\n' },
  { it: 'keeps the type of a number', text: 'tag: 1.0@\nr: 3\n', want: 'tag: !!float 1.1.0@\nr: 3\n' },
  { it: 'quotes text that reads as a number', text: 'tag: one@\n', want: 'tag: "20250102"@\n', tag: '20250102' },
  {
    it: 'takes away annotations that hold nothing',
    text: 'metadata:\n  name: a\n  annotations: {}\ntag: x@\n',
    want: 'metadata:\n  name: a\ntag: 1.1.0@\n',
  },
  {
    it: 'keeps quotes and blocks',
    text: 'tag: \'x\'@\na: "b"\nc: |\n   d\n\n   e\nf: {g: h,  i: j}\n',
    want: 'tag: \'1.1.0\'@\na: "b"\nc: |\n  d\n\n  e\nf: {g: h, i: j}\n',
  },
  {
    it: 'keeps the blank lines of a block',
    text: 'tag: x@\na: |+\n   b\n\n\nc: 1\n',
    want: 'tag: 1.1.0@\na: |+\n  b\n\n\nc: 1\n',
  },
  { it: 'leaves a list at the top alone', text: '- x@\n', want: '- x@\n' },
]

const settings = { policies: [], namespace: 'ns', traps: 'flux' } as const

for (const { it, text, want, tag = '1.1.0' } of cases)
  test(`a changed file, as Flux prints it: ${it}`, () => {
    const policies = [{ namespace: 'ns', name: 'app', latest: { name: 'app', tag } }]
    const result = applySetters('f.yaml', text.replaceAll('@', MARKER), { ...settings, policies })
    assert.equal(result.text.replaceAll(MARKER, '@'), want)
  })

test('a file with anchors is edited in place: how Flux prints it is not known here', () => {
  const policies = [{ namespace: 'ns', name: 'app', latest: { name: 'app', tag: '1.1.0' } }]
  const result = applySetters('f.yaml', `a: &a   1\ntag: x${MARKER}\nb: *a\n`, { ...settings, policies })
  assert.equal(result.text, `a: &a   1\ntag: 1.1.0${MARKER}\nb: *a\n`)
})
