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
  {
    it: 'quotes a number that follows a number',
    text: 'tag: 20240101@\nb: 1.10@\n',
    want: 'tag: "20250102"@\nb: "20250102"@\n',
    tag: '20250102',
  },
  { it: 'keeps a null one', text: 'tag: ~@\n', want: 'tag: !!null 20250102@\n', tag: '20250102' },
  { it: 'keeps a null one that becomes text', text: 'tag: null@\n', want: 'tag: !!null 1.1.0@\n' },
  {
    it: 'takes a block for plain where a number is quoted',
    text: 'a:\n  tag: >-@\n    x\n',
    want: 'a:\n  tag: "20250102"@\n',
    tag: '20250102',
  },
  { it: 'keeps single quotes around a number', text: "tag: 'x'@\n", want: "tag: '20250102'@\n", tag: '20250102' },
  { it: 'keeps comments behind a tab', text: 'a:\t# n\n    b: 1\ntag: x\t@\n', want: 'a: # n\n  b: 1\ntag: 1.1.0@\n' },
  {
    it: 'keeps a comment behind brackets that close on their own line',
    text: 'a: {\n    b: 1\n  } # n\ntag: x@\n',
    want: 'a: {b: 1} # n\ntag: 1.1.0@\n',
  },
  {
    it: 'knows a list whose items have tags',
    text: '# n\n\na:\n    # m\n    - !!str x\ntag: x@\n',
    want: '# n\n\na:\n# m\n- !!str x\ntag: 1.1.0@\n',
  },
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
  {
    it: 'keeps anchors and aliases, and says what << is',
    text: 'b: &b\n  tag: x@\n  l: [80]\nc:\n  <<: *b\n  n:   1\nd: &d {a: 1,  e: 2}\nf: [*d,  *b]\n',
    want: 'b: &b\n  tag: 1.1.0@\n  l: [80]\nc:\n  !!merge <<: *b\n  n: 1\nd: &d {a: 1, e: 2}\nf: [*d, *b]\n',
  },
  {
    it: 'reads its own print again',
    text: 'b: &b\n  tag: x@\nc:\n  !!merge <<: *b\n  n:   1\n',
    want: 'b: &b\n  tag: 1.1.0@\nc:\n  !!merge <<: *b\n  n: 1\n',
  },
  {
    it: 'says the name of an anchor before the tag',
    text: 'a:\n- !foo &v g\n- &z\n  d: e\ntag: x@\nn: &n\n',
    want: 'a:\n- &v !foo g\n- &z\n  d: e\ntag: 1.1.0@\nn: &n\n',
  },
  {
    it: 'breaks lines in brackets where comments are',
    text: 'm: {\n  tag: x, # c\n  b: y@\n}\nx:\n  y:\n    l: [\n      1, # c\n      w@\n    ]\n',
    want: 'm: {tag: x, # c\n  b: 1.1.0,@\n}\nx:\n  y:\n    l: [1, # c\n      1.1.0,@\n    ]\n',
  },
  {
    it: 'ends a block with its text',
    text: 'a: |@\n  x\nb: >+@\n  x\n\nc: 1\n',
    want: 'a: |-@\n  1.1.0\nb: >-@\n  1.1.0\nc: 1\n',
  },
  { it: 'sets the first of two equal keys', text: 'tag: x@\ntag: x@\n', want: 'tag: 1.1.0@\ntag: x@\n' },
  {
    it: 'leaves a file alone whose metadata is no mapping',
    text: 'metadata: a\ntag: x@\n',
    want: 'metadata: a\ntag: x@\n',
  },
  {
    it: 'takes away what it notes itself',
    text: 'metadata:\n  annotations:\n    config.kubernetes.io/index: "3"\ntag: x@\n',
    want: 'tag: 1.1.0@\n',
  },
  {
    it: 'prints a List beside another document',
    text: 'kind: List\nitems:\n- tag:   x@\n---\n',
    want: 'kind: List\nitems:\n- tag: 1.1.0@\n',
  },
]

const settings = { policies: [], namespace: 'ns', traps: 'flux' } as const

for (const { it, text, want, tag = '1.1.0' } of cases)
  test(`a changed file, as Flux prints it: ${it}`, () => {
    const policies = [{ namespace: 'ns', name: 'app', latest: { name: 'app', tag } }]
    const result = applySetters('f.yaml', text.replaceAll('@', MARKER), { ...settings, policies })
    assert.equal(result.text.replaceAll(MARKER, '@'), want)
  })

test('a List stays as it is, and its objects become files, as in Flux', () => {
  const policies = [{ namespace: 'ns', name: 'app', latest: { name: 'app', tag: '1.1.0' } }]
  const text = `kind: List
items:
# web
- kind: Deployment
  metadata: {name: web, namespace: q}
  tag: x${MARKER}
- kind: Service
  metadata:
    name: web
    annotations: {}
`
  const result = applySetters('f.yaml', text, { ...settings, policies })
  assert.equal(result.text, text)
  assert.deepEqual(result.listed, [
    {
      path: 'q/deployment_web.yaml',
      text: `# web\nkind: Deployment\nmetadata: {name: web, namespace: q}\ntag: 1.1.0${MARKER}\n`,
      isChanged: true,
    },
    { path: 'service_web.yaml', text: 'kind: Service\nmetadata:\n  name: web\n', isChanged: false },
  ])
  assert.deepEqual(
    result.changes.map(({ file, object }) => [file, object.name]),
    [['', 'web']],
  )
  const safe = applySetters('f.yaml', text, { ...settings, policies, traps: 'safe' })
  assert.equal(safe.text, text.replace('tag: x', 'tag: 1.1.0'))
  assert.deepEqual(safe.listed, [])
})
