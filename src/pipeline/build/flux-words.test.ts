import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fluxWords } from './flux-words.ts'

const decode = 'failed to decode Kubernetes YAML from /src/a.yaml: '
const cases: { it: string; message: string; want: string }[] = [
  {
    it: 'says that kustomize panicked',
    message: 'runtime error: index out of range [1] with length 1',
    want: 'recovered from kustomize build panic: runtime error: index out of range [1] with length 1',
  },
  {
    it: 'says of an item of a list that is no object what its own library says',
    message: `${decode}an item of a list is no object`,
    want: `${decode}missing Resource metadata`,
  },
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
  {
    it: 'says of a kustomization file that is no YAML what its own reader says',
    message: "invalid Kustomization: yaml: line 1: did not find expected ',' or ']'",
    want: "error converting YAML to JSON: yaml: line 1: did not find expected ',' or ']'",
  },
  {
    it: 'says of a field of a wrong type what its own reader says',
    message: 'invalid Kustomization: json: cannot unmarshal string into Go struct field',
    want: 'error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field',
  },
  { it: 'leaves the rest', message: 'no such file', want: 'no such file' },
]
for (const { it, message, want } of cases) test(`flux ${it}`, () => assert.equal(fluxWords(message), want))
