import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Schema, typeOf } from '../../../../lib/kube-schema/schema.ts'
import { clone, type Json, type JsonObject } from '../../../../lib/kube/json.ts'
import { decodeCustom } from '../../decoding/custom.ts'
import { validateCustom } from './custom.ts'

const resource = {
  type: 'object',
  'x-kubernetes-embedded-resource': true,
  'x-kubernetes-preserve-unknown-fields': true,
}
const schema = {
  type: 'object',
  properties: {
    e: resource,
    l: { type: 'array', items: resource },
    m: { type: 'object', additionalProperties: resource },
    s: { type: 'string' },
    n: { type: 'string', nullable: true },
  },
}
const type = typeOf(schema as unknown as Schema)
const pod = { apiVersion: 'v1', kind: 'Pod' }
const LABEL =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

// What the real kube-apiserver 1.37.2 told of the same.
const faults: { it: string; value: JsonObject; want: string[] }[] = [
  { it: 'a pod', value: { e: { ...pod, metadata: { name: 'X Y' } } }, want: [] },
  { it: 'nothing', value: { e: {} }, want: ['e.apiVersion: Required value', 'e.kind: Required value'] },
  { it: 'no kind in a list', value: { l: [pod, { apiVersion: 'v1' }] }, want: ['l[1].kind: Required value'] },
  { it: 'no version in a map', value: { m: { x: { kind: 'Pod' } } }, want: ['m[x].apiVersion: Required value'] },
  {
    it: 'a version in three parts',
    value: { e: { apiVersion: 'a/b/c', kind: 'Pod' } },
    want: ['e.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'],
  },
  { it: 'an empty kind', value: { e: { ...pod, kind: '' } }, want: ['e.kind: Invalid value: "": must not be empty'] },
  {
    it: 'metadata of no object',
    value: { e: { ...pod, metadata: { name: 'a/b', generation: -1, labels: { 'a b': '' } } } },
    want: [
      'e.metadata.name: Invalid value: "a/b": may not contain \'/\'',
      'e.metadata.generation: Invalid value: -1: must be greater than or equal to 0',
      `e.metadata.labels: Invalid value: "a b": ${LABEL}`,
    ],
  },
]
for (const { it, value, want } of faults)
  test(`kubed tells what is wrong with ${it} where a resource stands`, () => {
    const errors = validateCustom({ type, written: type }, value, undefined, {
      isStatus: false,
      scale: undefined,
      warn: () => undefined,
    })
    assert.deepEqual(
      errors.map(({ field, message }) => `${field}: ${message}`),
      want,
    )
  })

const reads: { it: string; value: JsonObject; want: Json; unknown?: string[] }[] = [
  {
    it: 'metadata of an embedded resource as Go has it',
    value: { e: { ...pod, metadata: { name: 'a', x: 1, creationTimestamp: null } } },
    want: { e: { ...pod, metadata: { name: 'a' } } },
    unknown: ['e.metadata.x'],
  },
  { it: 'no metadata as empty', value: { e: { ...pod, metadata: null } }, want: { e: { ...pod, metadata: {} } } },
  { it: 'a null that may not be as absent', value: { s: null, n: null }, want: { n: null } },
  {
    it: 'a number where a version stands',
    value: { e: { ...pod, apiVersion: 1 } },
    want: 'e.apiVersion: Invalid value: 1: must be a string',
  },
  {
    it: 'a number where metadata stands',
    value: { e: { ...pod, metadata: 5 } },
    want: 'e.metadata: Invalid value: 5: json: cannot unmarshal number into Go value of type v1.ObjectMeta',
  },
  {
    it: 'a number where a name stands',
    value: { e: { ...pod, metadata: { name: 1 } } },
    want: 'e.metadata: Invalid value: {"name":1}: json: cannot unmarshal number into Go struct field ObjectMeta.name of type string',
  },
]
for (const { it, value, want, unknown = [] } of reads)
  test(`kubed reads ${it}`, () => {
    const found: string[] = []
    const read = (): Json => {
      const copy = clone(value)
      try {
        decodeCustom(type, copy, found)
        return copy
      } catch (error) {
        return (error as Error).message
      }
    }
    assert.deepEqual(read(), want)
    assert.deepEqual(found, unknown)
  })
