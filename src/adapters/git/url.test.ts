import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maskPassword, parseGitUrl } from './url.ts'

const refused = [
  '--upload-pack=touch /tmp/x',
  '-oProxyCommand=x',
  'ext::sh -c id',
  'fd::17',
  'ssh://-oProxyCommand=x/y',
  'ssh://git@-oProxyCommand=x/y',
  'ssh://git@host/-x',
  'git@host:-x',
  'file:///etc',
  '/etc',
  'git://host/x',
  'https://host/a\nb',
  'https://',
  'https://%zz@host/x',
  'file:///%zz',
  'ssh://evil.example%2Fx@host/y',
  'ssh://a%20-oProxyCommand=x@host/y',
  'x',
  '',
]
for (const url of refused)
  test(`url ${JSON.stringify(url)} is refused`, () =>
    assert.throws(() => parseGitUrl(url), { code: 'GIT_URL_REFUSED' }))

test('user and password leave the address', () => {
  const { url, username, password, host } = parseGitUrl('https://ada:s3cret%21@git.example.org:8443/team/app.git')
  assert.deepEqual(
    { url, username, password, host },
    {
      url: 'https://git.example.org:8443/team/app.git',
      username: 'ada',
      password: 's3cret!',
      host: 'git.example.org:8443',
    },
  )
})

test('a refused address does not show its password', () => {
  for (const login of ['ada:s3cret', 'ada:p@s3cret', 'ada:p/s3cret'])
    assert.throws(
      () => parseGitUrl(`gopher://${login}@host/x`),
      (error: Error) => !error.message.includes('s3cret'),
    )
})

const masked: readonly [url: string, want: string][] = [
  ['https://ada:s3cret@host/x', 'https://ada:***@host/x'],
  ['https://token@host/x', 'https://***@host/x'],
  ['ssh://git@host/x', 'ssh://git@host/x'],
  ['https://host/a@b', 'https://host/a@b'],
]
for (const [url, want] of masked) test(`${url} is shown as ${want}`, () => assert.equal(maskPassword(url), want))

test('ssh in both spellings', () => {
  assert.equal(parseGitUrl('ssh://git@host:22/x.git').url, 'ssh://git@host:22/x.git')
  assert.equal(parseGitUrl('git@github.com:org/x.git').url, 'git@github.com:org/x.git')
})

test('local paths when allowed', () => {
  assert.equal(parseGitUrl('/srv/x.git', { allowLocal: true }).url, '/srv/x.git')
  assert.equal(parseGitUrl('file:///srv/x.git', { allowLocal: true }).url, '/srv/x.git')
})
