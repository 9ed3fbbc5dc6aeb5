import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '../request/call.ts'
import { reportUnknown } from './object.ts'

// What the real kube-apiserver 1.37.2 answered.
const strict: { it: string; type: string; unknown: string[]; oddities: string[]; want: string }[] = [
  {
    it: 'once for all lines of YAML',
    type: 'application/yaml',
    unknown: ['spec'],
    oddities: ['line 3: key "a" already set in map', 'line 5: key "b" already set in map'],
    want: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  line 3: key "a" already set in map\n  line 5: key "b" already set in map, unknown field "spec"',
  },
  {
    it: 'of what is applied in words of its own',
    type: 'application/apply-patch+yaml',
    unknown: [],
    oddities: ['line 3: key "a" already set in map'],
    want: 'error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:\n  line 3: key "a" already set in map',
  },
]
for (const { it, type, unknown, oddities, want } of strict)
  test(`keys that stand twice are refused ${it}`, () => {
    const call = {
      ...{ fieldValidation: 'Strict', contentType: type, warnings: [] as string[], body: Buffer.alloc(0) },
      ...{ method: 'POST', resource: { kind: 'ConfigMap', version: 'v1' } },
    }
    assert.throws(() => reportUnknown(call as unknown as Call, unknown, oddities), { message: want })
  })

test('of a field that a kind does not have nothing more is told, however often it stands there', () => {
  const text = '{"spec":{"replicas":1,"replicas":2,"nope":1,"nope":{"a":1,"a":2}}}'
  const call = {
    ...{ fieldValidation: 'Warn', contentType: 'application/json', warnings: [] as string[], body: Buffer.from(text) },
    ...{ method: 'POST', resource: { kind: 'Deployment', version: 'v1' } },
  }
  const oddities = ['spec.replicas', 'spec.nope', 'spec.nope.a'].map((path) => `duplicate field "${path}"`)
  reportUnknown(call as unknown as Call, ['spec.nope'], oddities)
  assert.deepEqual(call.warnings, ['duplicate field "spec.replicas"', 'unknown field "spec.nope"'])
})

test('fields that a kind does not have may be many', () => {
  const call = { fieldValidation: 'Warn', warnings: [] as string[] }
  const unknown = Array.from({ length: 200_000 }, (_, index) => `unknown field "spec.a${index}"`)
  reportUnknown(call as unknown as Call, unknown)
  assert.equal(call.warnings.length, 200_000)
})
