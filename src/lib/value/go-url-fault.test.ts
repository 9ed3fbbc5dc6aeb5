// What `url.Parse` of Go 1.26.8 says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goUrlFault } from './go-url-fault.ts'

const cases: readonly [url: string, want: string | undefined][] = [
  ['https://github.com/org/repo.git', undefined],
  ['ssh://git@github.com/org/repo.git', undefined],
  ['ssh://git@github.com:22/org/repo.git', undefined],
  ['ssh://git@github.com:org/repo.git', 'invalid port ":org" after host'],
  ['git@github.com:org/repo.git', 'first path segment in URL cannot contain colon'],
  ['http://a b/', 'invalid character " " in host name'],
  ['http://é^/', 'invalid character "^" in host name'],
  ['http://[::1/', "missing ']' in host"],
  ['http://a[::1]/', 'invalid IP-literal'],
  ['http://[a]/', 'invalid host: ParseAddr("a"): unable to parse IP'],
  ['http://[1.2.3.4]/', 'invalid IP-literal'],
  ['http://[::1]:80/', undefined],
  ['http://[::1]x/', 'invalid port "x" after host'],
  ['http://h:80:90/', 'invalid port ":80:90" after host'],
  ['ssh://h:80:90/', undefined],
  ['http://h/%zz', 'invalid URL escape "%zz"'],
  ['http://h%41/', 'invalid URL escape "%41"'],
  ['http://u^@h/', 'net/url: invalid userinfo'],
  ['http://u%zz@h/', 'invalid URL escape "%zz"'],
  ['http://h/#%z', 'invalid URL escape "%z"'],
  ['https://\u0001', 'net/url: invalid control character in URL'],
  [':x', 'missing protocol scheme'],
  ['mailto:a%zz', undefined],
]
for (const [url, want] of cases)
  test(`Go parses ${JSON.stringify(url)}${want === undefined ? '' : ' not'}`, () => assert.equal(goUrlFault(url), want))
