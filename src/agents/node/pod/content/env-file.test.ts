import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readVariable } from './env-file.ts'

const missing = { missing: true }
const at = (line: number, why: string): object => ({
  fault: `invalid environment variable format at line ${line}: ${why}`,
})

// answers of the kubelet's own reader, v1.37.2 (pkg/kubelet/util/env)
const cases: { it: string; text: string; want: object }[] = [
  { it: 'a value', text: "B='b'\nA='x y'\n", want: { value: 'x y' } },
  { it: 'the first of two', text: "A='1'\nA='2'\n", want: { value: '1' } },
  { it: 'several lines', text: "A='1\n # 2\n'\n", want: { value: '1\n # 2\n' } },
  { it: 'nothing that is expanded', text: "A='$B\\n\"'", want: { value: '$B\\n"' } },
  { it: 'remarks and empty lines', text: "# A='0'\n \t\n\tA='1' # one\n", want: { value: '1' } },
  { it: 'ends of line of another system', text: "A='1'\r\nB='2'\r\n", want: { value: '1' } },
  { it: 'no such name', text: "B='1'", want: missing },
  { it: 'an empty value', text: "A=''", want: missing },
  { it: 'a value after a blank', text: "A= 'x'", want: missing },
  { it: 'no quotes', text: 'A=x', want: at(1, 'value must be enclosed in single quotes') },
  { it: 'no sign', text: "\nA 'x'", want: at(2, "missing '='") },
  { it: 'no name', text: "='x'", want: at(1, 'empty variable name') },
  { it: 'a blank before the sign', text: "A ='x'", want: at(1, "whitespace before '=' is not allowed") },
  { it: 'more after the value', text: "B='1\n2'3\nA='x'", want: at(2, 'unexpected content after closing quote') },
  { it: 'a fault after the value', text: "A='x'\nB=y", want: { value: 'x' } },
  {
    it: 'no end',
    text: "\nA='x\ny",
    want: { fault: 'invalid environment variable format starting at line 2: unclosed single quote' },
  },
]
for (const { it, text, want } of cases)
  test(`a file of variables with ${it}`, () => assert.deepEqual(readVariable(text, 'A'), want))
