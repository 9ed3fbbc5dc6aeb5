import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attachComments } from './node-comments.ts'
import { parseDocuments } from '../parse-documents.ts'
import { writeNode } from './write-nodes.ts'

// Each `want` is what kustomize 5.8.1 prints of the text; undefined where it is not known how it prints the comments.
const cases: { it: string; text: string; want?: string }[] = [
  { it: 'keeps what heads the document apart', text: '# a\n\n\n\nb: 1 # l\n', want: '# a\n\nb: 1 # l\n' },
  { it: 'joins several heads', text: '# a\n# b\n\n# c\nb: 1\n', want: '# a\n# b\n\n# c\nb: 1\n' },
  { it: 'keeps what stands behind a key', text: 'b:  #  x\n\n  c: 1\n', want: 'b: #  x\n  c: 1\n' },
  { it: 'keeps it above a list', text: 'l: # x\n# y\n- 1\n', want: 'l: # x\n# y\n- 1\n' },
  { it: 'keeps what stands between a key and a text', text: 'a: # t\n  text\n', want: 'a: text # t\n' },
  { it: 'knows no head above a separator', text: '# a\n\n---\nb: 1\n' },
  { it: 'keeps what stands right below the last field', text: 'a:\n  b: 1\n  # f\n', want: 'a:\n  b: 1\n  # f\n' },
  { it: 'keeps the field of its column at the end', text: 'a:\n  - b\n# f\n', want: 'a:\n- b\n# f\n' },
  { it: 'keeps the end of the document apart', text: 'a: 1\n\n\n# end\n', want: 'a: 1\n\n# end\n' },
  { it: 'parts a foot from what follows', text: 'a: 1\n# f\n\n\nb: 2\n', want: 'a: 1\n# f\n\nb: 2\n' },
  { it: 'takes the blank line off what is below it', text: 'a: 1\n\n# h\n\nb: 2\n', want: 'a: 1\n# h\nb: 2\n' },
  { it: 'moves a foot to the field above', text: 'a:\n  b: 1\n    # f\nc: 2\n', want: 'a:\n  b: 1\n  # f\nc: 2\n' },
  {
    it: 'gives a foot to the field of its column',
    text: 'a:\n  b: 1\n# f\n\nc: 2\n',
    want: 'a:\n  b: 1\n# f\n\nc: 2\n',
  },
  { it: 'keeps what stands behind brackets', text: 'a: [ 1,2 ]   # l\n', want: 'a: [1, 2] # l\n' },
]

for (const { it, text, want } of cases)
  test(`comments: ${it}`, () => {
    const [document] = parseDocuments(text)
    assert.ok(document?.root)
    const comments = attachComments(document)
    assert.equal(comments && writeNode(document.root, comments), want)
  })
