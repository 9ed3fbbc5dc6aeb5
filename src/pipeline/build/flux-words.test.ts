import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fluxWords } from './flux-words.ts'

const decode = 'failed to decode Kubernetes YAML from /src/a.yaml: '
const cases: { it: string; message: string; line?: number; text?: string; want: string }[] = [
  {
    it: 'names the line before a list that is not closed',
    message: `${decode}did not find expected ',' or ']'`,
    line: 5,
    text: 'kind: ConfigMap\nmetadata:\n  x: [b]\n  name: [a,\n',
    want: `${decode}MalformedYAMLError: yaml: line 3: did not find expected ',' or ']'`,
  },
  {
    it: 'names the line before the place when the list begins the file',
    message: `${decode}did not find expected ',' or ']'`,
    line: 3,
    text: '[a,\nb\n',
    want: `${decode}MalformedYAMLError: yaml: line 2: did not find expected ',' or ']'`,
  },
  {
    it: 'names the place of a scanner fault',
    message: `${decode}mapping values are not allowed in this context`,
    line: 2,
    want: `${decode}MalformedYAMLError: yaml: line 2: mapping values are not allowed in this context`,
  },
  {
    it: 'says of YAML that is no object what its own library says',
    message: `${decode}missing kind in object {{ } {{ } map[] map[]}}`,
    line: 1,
    want: `${decode}missing Resource metadata`,
  },
  {
    it: 'says of a patch that removes nothing what its own library says',
    message:
      'remove operation does not apply: doc is missing path: "/a/b": Unable to remove nonexistent key: b: missing value',
    want: "error in remove for path: '/a/b': Unable to remove nonexistent key: b: missing value",
  },
  { it: 'leaves the rest', message: 'no such file', want: 'no such file' },
]
for (const { it, message, line, text, want } of cases)
  test(`flux ${it}`, () => assert.equal(fluxWords(message, line, text), want))
