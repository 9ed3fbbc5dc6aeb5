import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toValue } from '../../yaml/to-value.ts'
import { parseDocuments } from '../../yaml/parse-documents.ts'
import { renderWithOrigins } from './annotate.ts'
import { build, renderBuild } from '../build.ts'
import { treeOfFiles } from '../files/tree.ts'

const long = 'word '.repeat(40).trim()
const config = `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  annotations:
    b: "8"
data:
  block: |
    one # not a comment
    two
  folded: ${long}
  quoted: " x"
  empty: ""
  list: []
`

test('annotate: every value says where it came from, and the YAML stays the same', () => {
  const files = new Map([
    ['/kustomization.yaml', 'nameSuffix: "-1"\nresources:\n- a.yaml\n- a.yaml2\n'],
    ['/a.yaml', config],
    ['/a.yaml2', config.replace('name: a', 'name: b')],
  ])
  const result = build(treeOfFiles(files), '/', { origin: true })
  const text = renderWithOrigins(result, ({ where }) => (where ? `${where.file}:${where.line}` : undefined))
  const lines = text.split('\n')
  assert.equal(lines[0], 'apiVersion: v1  # /a.yaml:1')
  assert.equal(lines[2], '  block: |  # /a.yaml:8')
  assert.ok(lines.includes('  name: a-1  # /kustomization.yaml:1'))
  assert.ok(lines.includes('    b: "8"  # /a.yaml:6'))
  const values = (yaml: string): unknown => parseDocuments(yaml).map(({ root }) => root && toValue(root))
  assert.deepEqual(values(text), values(renderBuild(result)))
})
