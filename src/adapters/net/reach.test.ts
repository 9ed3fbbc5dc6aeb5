import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkReach } from './reach.ts'

/** Spellings of this machine: what `private` and `public` keep away from. */
const machine = ['127.0.0.1', '127.9.9.9', '0.0.0.0', '2130706433', '0x7f.1', '[::1]', '[::]', '[::ffff:127.0.0.1]']
const alsoMachine = [
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
]
/** Spellings of metadata services. */
const never = [
  '169.254.169.254',
  '[fe80::1]',
  '[::ffff:a9fe:a9fe]',
  '[::169.254.169.254]',
  '100.100.100.200',
  '[2002:a9fe:a9fe::1]',
]
const near = [
  '10.1.2.3',
  '172.31.0.1',
  '192.168.0.1',
  '100.64.0.1',
  '[fd12::1]',
  '[::10.1.2.3]',
  '[2002:a00:1::]',
  '[fec0::1]',
]
const far = ['93.184.216.34', '[2606:4700::1111]', '[2002:5db8:d822::1]', 'example.org']

const isRefused = (host: string, scope: 'any' | 'private' | 'public', own: readonly number[] = []): boolean => {
  try {
    checkReach(new URL(`http://${host}:8080/`), { scope, ownPorts: () => own })
    return false
  } catch {
    return true
  }
}

const rows: readonly [hosts: readonly string[], any: boolean, isPrivate: boolean, isPublic: boolean][] = [
  [[...machine, ...alsoMachine], false, true, true],
  [never, true, true, true],
  [near, false, false, true],
  [far, false, false, false],
]
for (const [hosts, ...want] of rows)
  for (const host of hosts)
    test(`${host} is refused to any: ${want[0]}, private: ${want[1]}, public: ${want[2]}`, () =>
      assert.deepEqual([isRefused(host, 'any'), isRefused(host, 'private'), isRefused(host, 'public')], want))

test('our own ports are refused on this machine however it is written', () => {
  for (const host of [...machine, ...alsoMachine]) assert.ok(isRefused(host, 'any', [8080]), host)
})
