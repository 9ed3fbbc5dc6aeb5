import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeProtobuf, ProtobufError } from './decode.ts'
import { encodeProtobuf } from './encode.ts'

// What the real kube-apiserver 1.37.2 made of the same bodies.
const bytes = (...parts: readonly (number | string | Uint8Array)[]): Buffer =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? Buffer.from([part]) : typeof part === 'string' ? Buffer.from(part) : part,
    ),
  )
const delimited = (number: number, value: Uint8Array): Buffer => bytes(number * 8 + 2, value.length, value)
const bodyOf = (raw: Uint8Array, apiVersion = 'v1', kind = 'ConfigMap'): Buffer =>
  bytes('k8s\0', delimited(1, bytes(delimited(1, bytes(apiVersion)), delimited(2, bytes(kind)))), delimited(2, raw))
const META = delimited(1, delimited(1, bytes('a')))
const WANTED = { apiVersion: 'v1', kind: 'ConfigMap' }
const NAMED = { ...WANTED, metadata: { name: 'a' } }

const read: { it: string; body: Buffer; want: object }[] = [
  { it: 'passes over a number that it does not know', body: bodyOf(bytes(META, 0x78, 0x85, 0x01)), want: NAMED },
  {
    it: 'passes over a text that it does not know',
    body: bodyOf(bytes(META, delimited(15, bytes('xyz')))),
    want: NAMED,
  },
  {
    it: 'passes over a group with all that it holds',
    body: bodyOf(bytes(META, 0x7b, 0x0b, 8, 1, 0x0c, 0x7c)),
    want: NAMED,
  },
  {
    it: 'takes the parts of a message for one',
    body: bodyOf(bytes(META, delimited(1, delimited(3, bytes('n'))))),
    want: { ...WANTED, metadata: { name: 'a', namespace: 'n' } },
  },
  { it: 'takes what does not say its kind for what is wanted', body: bodyOf(META, '', ''), want: NAMED },
  { it: 'takes a version of three parts for none', body: bodyOf(META, 'a/b/c'), want: NAMED },
  {
    it: 'keeps of a number of 64 bits the 32 that it has room for',
    body: bodyOf(delimited(2, bytes(0x08, ...[0x83, 0x80, 0x80, 0x80, 0x10])), 'apps/v1', 'Deployment'),
    want: { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 3 } },
  },
  {
    it: 'reads a number below zero',
    body: bodyOf(delimited(2, bytes(0x08, ...Array<number>(9).fill(0xff), 0x01)), 'apps/v1', 'Deployment'),
    want: { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: -1 } },
  },
  {
    it: 'answers only the kind of what it does not know',
    body: bodyOf(META, 'x/v1', 'Y'),
    want: { apiVersion: 'x/v1', kind: 'Y' },
  },
]
for (const { it, body, want } of read)
  test(`a message ${it}`, () => assert.deepEqual(decodeProtobuf(body, WANTED), want))

const AS = { apiVersion: 'v1', kind: 'ConfigMap' }
const refused: { it: string; body: Buffer; want: string; head?: object }[] = [
  { it: 'without anything', body: bytes(), want: 'empty data' },
  { it: 'with nothing but its sign', body: bytes('k8s\0'), want: 'empty body' },
  {
    it: 'without its sign',
    body: bytes('{}'),
    want: 'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
  },
  { it: 'whose envelope ends early', body: bytes('k8s\0', 0x0a, 5, 'a'), want: 'unexpected EOF' },
  {
    it: 'whose envelope has a field 0',
    body: bytes('k8s\0', 0x05),
    want: 'proto: Unknown: illegal tag 0 (wire type 5)',
  },
  { it: 'that ends early', body: bodyOf(bytes(0x0a, 9, 'a')), want: 'unexpected EOF', head: AS },
  {
    it: 'of a wrong form',
    body: bodyOf(bytes(0x08, 1)),
    want: 'proto: wrong wireType = 0 for field ObjectMeta',
    head: AS,
  },
  {
    it: 'with the end of a group that did not begin',
    body: bodyOf(bytes(META, 0x0c)),
    want: 'proto: ConfigMap: wiretype end group for non-group',
    head: AS,
  },
  { it: 'with a form that there is not', body: bodyOf(bytes(META, 0x7f)), want: 'proto: illegal wireType 7', head: AS },
  { it: 'with a number without end', body: bodyOf(Buffer.alloc(11, 0xff)), want: 'proto: integer overflow', head: AS },
  {
    it: 'with a length below zero',
    body: bodyOf(bytes(0x0a, ...Array<number>(9).fill(0xff), 0x01)),
    want: 'proto: negative length found during unmarshaling',
    head: AS,
  },
  {
    it: 'with an amount that is none',
    body: bodyOf(
      delimited(3, delimited(1, bytes(delimited(1, bytes('cpu')), delimited(2, delimited(1, bytes('x')))))),
      ...(['v1', 'Node'] as const),
    ),
    want: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    head: { apiVersion: 'v1', kind: 'Node' },
  },
]
for (const { it, body, want, head } of refused)
  test(`a message ${it} is refused`, () => {
    assert.throws(
      () => decodeProtobuf(body, WANTED),
      (error) => {
        assert.ok(error instanceof ProtobufError)
        assert.deepEqual([error.message, error.head], [want, head])
        return true
      },
    )
  })

test('a message that is cut anywhere is read or refused', () => {
  const whole = encodeProtobuf({ ...WANTED, metadata: { name: 'a', labels: { b: 'c' } }, data: { d: 'e' } })
  assert.ok(whole)
  for (let length = 0; length < whole.length; length++)
    try {
      assert.equal(decodeProtobuf(whole.subarray(0, length)).kind, 'ConfigMap')
    } catch (error) {
      assert.ok(error instanceof ProtobufError)
    }
})
