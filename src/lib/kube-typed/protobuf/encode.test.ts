import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { type JsonObject, objectOf } from '../../kube/json.ts'
import { decodeProtobuf } from './decode.ts'
import { encodeProtobuf, encodeWatchEvent } from './encode.ts'

type Pair = { readonly it: string; readonly json: JsonObject; readonly protobuf: string }

// What kube-apiserver 1.37.2 answered in JSON and in protobuf.
const pairs = JSON.parse(readFileSync(resolve('tests/fixtures/kube-protobuf.json'), 'utf8')) as Pair[]

for (const { it, json, protobuf } of pairs) {
  test(`${it} is written as the real server writes it`, () => {
    assert.equal(encodeProtobuf(json)?.toString('base64'), protobuf)
  })

  test(`${it} is read as what is written again as it came`, () => {
    const read = decodeProtobuf(Buffer.from(protobuf, 'base64'))
    assert.equal(read && encodeProtobuf(read)?.toString('base64'), protobuf)
  })
}

test('a kind that nobody published has no form in protobuf', () => {
  assert.equal(encodeProtobuf({ apiVersion: 'example.com/v1', kind: 'Shirt', metadata: { name: 'one' } }), undefined)
})

test('an event of a watch is a frame that tells its length', () => {
  const frame = encodeWatchEvent('ADDED', Buffer.from('k8s'))
  assert.equal(frame.toString('latin1'), '\0\0\0\u000e\n\u0005ADDED\u0012\u0005\n\u0003k8s')
})

test('what grows beyond the buffer is kept', () => {
  const data = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`k${index}`, 'ü'.repeat(100)]))
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'big' }, data }
  const written = encodeProtobuf(map)
  assert.deepEqual(written && decodeProtobuf(written)?.data, data)
})

test('numbers of 64 bits come back', () => {
  for (const generation of [
    0,
    1,
    127,
    128,
    300,
    2 ** 31,
    2 ** 32,
    2 ** 32 + 127,
    2 ** 53 - 1,
    -1,
    -128,
    -(2 ** 31),
    -(2 ** 40) - 1,
  ]) {
    const written = encodeProtobuf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', generation } })
    const { metadata } = written === undefined ? {} : decodeProtobuf(written)
    assert.equal(objectOf(metadata).generation ?? 0, generation)
  }
})
