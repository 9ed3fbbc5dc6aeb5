import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressFault, addressText, addressWarnings, networkFault, networkWarnings, parseAddress } from './addresses.ts'

const texts: [text: string, canonical: string | undefined][] = [
  ['10.1.2.3', '10.1.2.3'],
  ['010.1.2.003', '10.1.2.3'],
  ['10.1.2.256', undefined],
  ['10.1.2', undefined],
  ['::ffff:1.2.3.4', '1.2.3.4'],
  ['2001:DB8::0:1', '2001:db8::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['::', '::'],
  ['::1', '::1'],
  ['fe80::', 'fe80::'],
  ['fe80::1%eth0', undefined],
  ['::1.2.3.4', '::102:304'],
  ['', undefined],
]
for (const [text, want] of texts)
  test(`the address ${JSON.stringify(text)} is written ${want ?? 'by no one'}`, () => {
    const address = parseAddress(text)
    assert.equal(address && addressText(address), want)
  })

const BAD = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'
/** What the real API server 1.37.2 says. */
const faults: { of: string; is: string | undefined; canonical?: true }[] = [
  { of: '010.1.1.1', is: 'must not have leading 0s' },
  { of: '::FFFF:1.2.3.4', is: 'must not be an IPv4-mapped IPv6 address' },
  { of: '2001:DB8::0:1', is: undefined },
  { of: '2001:DB8::0:1', canonical: true, is: 'must be in canonical form ("2001:db8::1")' },
  { of: '10.1.2.3/8', is: 'must not have bits set beyond the prefix length' },
  { of: '10.0.0.0/08', is: 'must not have leading 0s in IP or prefix length' },
  { of: '010.0.0.0/8', is: 'must not have leading 0s in IP or prefix length' },
  { of: '::ffff:10.0.0.0/104', is: 'must not have an IPv4-mapped IPv6 address' },
  { of: '10.0.0.0/33', is: BAD },
  { of: '10.0.0.0/', is: BAD },
  { of: '2001:DB8::/32', is: undefined },
  { of: '2001:DB8::/32', canonical: true, is: 'must be in canonical form ("2001:db8::/32")' },
]
for (const { of, is, canonical } of faults)
  test(`of ${of} the server says ${is ?? 'nothing'}`, () =>
    assert.equal(of.includes('/') ? networkFault(of, canonical) : addressFault(of, canonical), is))

test('addresses and networks that could be written better are told', () => {
  assert.deepEqual(addressWarnings('2001:DB8::0:1', 'a'), [
    'a: IPv6 address "2001:DB8::0:1" should be in RFC 5952 canonical format ("2001:db8::1")',
  ])
  assert.deepEqual(addressWarnings('1.2.3.04', 'a'), [
    'a: non-standard IP address "1.2.3.04" is invalid: use "1.2.3.4"',
  ])
  assert.deepEqual(networkWarnings('2001:DB8::/32', 'a'), [
    'a: IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")',
  ])
  assert.deepEqual(networkWarnings('10.0.0.0/8', 'a'), [])
})
