import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLinear } from '../../../../tests/support/cpu-time.ts'
import { decodeProtobuf, ProtobufError } from './decode.ts'
import { encodeProtobuf } from './encode.ts'

// What the real kube-apiserver 1.37.2 made of the same bodies.
const bytes = (...parts: readonly (number | string | Uint8Array)[]): Buffer =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? Buffer.from([part]) : typeof part === 'string' ? Buffer.from(part) : part,
    ),
  )
/** A number below zero, too. */
function varint(value: number): number[] {
  const groups = BigInt.asUintN(64, BigInt(value))
    .toString(2)
    .match(/.{1,7}(?=(.{7})*$)/g)
  return (groups ?? []).reverse().map((bits, at, { length }) => parseInt(bits, 2) + (at < length - 1 ? 128 : 0))
}
const delimited = (number: number, value: Uint8Array): Buffer => bytes(number * 8 + 2, ...varint(value.length), value)
const bodyOf = (raw: Uint8Array, apiVersion = 'v1', kind = 'ConfigMap'): Buffer =>
  bytes('k8s\0', delimited(1, bytes(delimited(1, bytes(apiVersion)), delimited(2, bytes(kind)))), delimited(2, raw))
const META = delimited(1, delimited(1, bytes('a')))
const WANTED = { apiVersion: 'v1', kind: 'ConfigMap' }
const NAMED = { ...WANTED, metadata: { name: 'a' } }

/** A ConfigMap that was made at a time. */
const madeAt = (...times: readonly Uint8Array[]): Buffer =>
  bodyOf(delimited(1, bytes(...times.map((time) => delimited(8, time)))))
/** A lease of a second. */
const renewedAt = (time: Uint8Array): Buffer =>
  bodyOf(delimited(2, delimited(4, time)), 'coordination.k8s.io/v1', 'Lease')
const leaseOf = (renewTime: string): object => ({
  ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
  spec: { renewTime },
})
const nodeOf = (...quantities: readonly Uint8Array[]): Buffer => {
  const entry = bytes(delimited(1, bytes('cpu')), delimited(2, bytes(...quantities)))
  return bodyOf(delimited(3, delimited(1, entry)), 'v1', 'Node')
}

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
  {
    it: 'lets the last of a text in parts count',
    body: bodyOf(bytes(META, delimited(1, bytes(delimited(1, bytes('b')), delimited(3, bytes('n')))), META)),
    want: { ...WANTED, metadata: { name: 'a', namespace: 'n' } },
  },
  {
    it: 'takes the parts of a message in parts for one',
    body: bodyOf(
      bytes(
        ...['a', 'b'].map((key) =>
          delimited(2, delimited(2, delimited(1, bytes(delimited(1, bytes(key)), delimited(2, bytes('c')))))),
        ),
      ),
      'apps/v1',
      'Deployment',
    ),
    want: { apiVersion: 'apps/v1', kind: 'Deployment', spec: { selector: { matchLabels: { a: 'c', b: 'c' } } } },
  },
  {
    it: 'takes a time that comes twice for the last',
    body: madeAt(bytes(8, 5), bytes(8, 6, 16, 7)),
    want: { ...WANTED, metadata: { creationTimestamp: '1970-01-01T00:00:06Z' } },
  },
  {
    it: 'carries what is more than a second',
    body: renewedAt(bytes(8, 1, 16, ...varint(1_500_000_999))),
    want: leaseOf('1970-01-01T00:00:02.500000Z'),
  },
  {
    it: 'takes parts of a second below zero off',
    body: renewedAt(bytes(8, 1, 16, ...varint(-130_000_999))),
    want: leaseOf('1970-01-01T00:00:00.870000Z'),
  },
  {
    it: 'keeps a key that an assignment would lose',
    body: bodyOf(delimited(2, bytes(delimited(1, bytes('__proto__')), delimited(2, bytes('x'))))),
    want: { ...WANTED, data: JSON.parse('{"__proto__":"x"}') },
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
    it: 'with a part that ends early, whatever the next begins with',
    body: bodyOf(bytes(delimited(1, bytes(0x0a, 2, 'a')), delimited(1, bytes('b')))),
    want: 'unexpected EOF',
    head: AS,
  },
  {
    it: 'with a part that is wrong before it is wrong itself',
    body: bodyOf(bytes(delimited(1, bytes(0x08, 1)), 0x7f)),
    want: 'proto: wrong wireType = 0 for field Name',
    head: AS,
  },
  ...[-62_167_219_201, 253_402_300_800, 2 ** 52].map((seconds) => ({
    it: `with a time that has no year of four digits: ${seconds}`,
    body: madeAt(bytes(8, ...varint(seconds))),
    want: 'kubed reads times of the years 0 to 9999 only',
    head: AS,
  })),
  ...[[bytes('x')], [bytes('x'), bytes('1')], [bytes('')]].map((texts) => ({
    it: `with an amount that is none: "${texts.join('", "')}"`,
    body: nodeOf(...texts.map((text) => delimited(1, text))),
    want: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    head: { apiVersion: 'v1', kind: 'Node' },
  })),
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

test('the fields of a message stand as they came, whatever comes in parts', () => {
  const spec = bytes(delimited(2, bytes()), 8, 3, delimited(2, bytes()))
  const { spec: read } = decodeProtobuf(bodyOf(delimited(2, spec), 'apps/v1', 'Deployment'))
  assert.equal(JSON.stringify(read), '{"selector":{},"replicas":3}')
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

const repeat = (times: number, part: (index: number) => Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: times }, (_, index) => part(index)))
const NOTHING = bytes()
const FINALIZER = delimited(14, bytes('f'))
const hostile: readonly [it: string, body: (size: number) => Buffer, size: number][] = [
  [
    'messages in one another, each in many parts',
    (size) => {
      const inner = delimited(8, NOTHING)
      const middle = bytes(
        repeat(size, () => inner),
        inner,
      )
      const outer = bytes(
        delimited(1, middle),
        repeat(size, () => delimited(1, NOTHING)),
      )
      const spec = bytes(
        delimited(2, outer),
        repeat(size, () => delimited(2, NOTHING)),
      )
      return bodyOf(spec, 'authorization.k8s.io/v1', 'SelfSubjectAccessReview')
    },
    80,
  ],
  ['a message in many parts', (size) => bodyOf(repeat(size, () => META)), 4_000],
  [
    'a list',
    (size) =>
      bodyOf(
        delimited(
          1,
          repeat(size, () => FINALIZER),
        ),
      ),
    40_000,
  ],
  ['a map', (size) => bodyOf(repeat(size, (index) => delimited(2, delimited(1, bytes(`k${index}`))))), 8_000],
  ['an amount that is none', (size) => nodeOf(delimited(1, bytes('1'.repeat(size), 'x'))), 40_000],
]
for (const [it, body, size] of hostile)
  test(`${it} costs no more than its length`, () =>
    assertLinear((of) => {
      try {
        decodeProtobuf(body(of), WANTED)
      } catch (error) {
        assert.ok(error instanceof ProtobufError)
      }
    }, size))
