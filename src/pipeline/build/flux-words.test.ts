import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fluxWords } from './flux-words.ts'

const decode = 'failed to decode Kubernetes YAML from /src/a.yaml: '
const cases: { it: string; message: string; want: string }[] = [
  {
    it: 'names the library that reads YAML',
    message: `${decode}yaml: line 3: did not find expected ',' or ']'`,
    want: `${decode}MalformedYAMLError: yaml: line 3: did not find expected ',' or ']'`,
  },
  {
    it: 'says of YAML that is no object what its own library says',
    message: `${decode}missing kind in object {{ } {{ } map[] map[]}}`,
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
for (const { it, message, want } of cases) test(`flux ${it}`, () => assert.equal(fluxWords(message), want))
