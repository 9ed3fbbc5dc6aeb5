import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseGitRepository } from '../../../kinds/git-repository.ts'
import { unsupportedField } from './unsupported.ts'

const refusal = (url: string, traps: 'safe' | 'flux' = 'safe'): string | undefined =>
  unsupportedField(
    parseGitRepository({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { namespace: 'ns', name: 'app' },
      spec: { url, interval: '1m' },
    }),
    traps,
  )?.message

test('an address of SSH in the short form behind ssh:// is told in the words of Go', () => {
  const url = 'ssh://git@github.com:org/repo.git'
  assert.equal(refusal(url), `failed to parse url '${url}': parse "${url}": invalid port ":org" after host`)
})

test('a fault before # is told of what stands before it', () => {
  assert.equal(
    refusal('https://h%41/#main'),
    'failed to parse url \'https://h%41/#main\': parse "https://h%41/": invalid URL escape "%41"',
  )
  assert.equal(
    refusal('https://h/#%z'),
    'failed to parse url \'https://h/#%z\': parse "https://h/#%z": invalid URL escape "%z"',
  )
})

test('what Go parses and git may not be given is refused without its words', () => {
  assert.equal(refusal('https://h/-x'), "failed to parse url 'https://h/-x'")
  assert.equal(refusal('https://h/x'), undefined)
})

const logins: readonly [url: string, safe: string | undefined, flux: string | undefined][] = [
  ['https://u:p@h/x', undefined, undefined],
  [
    'https://u:p^w@h/x',
    undefined,
    `failed to parse url 'https://u:p^w@h/x': parse "https://u:p^w@h/x": net/url: invalid userinfo`,
  ],
  [
    'https://u:p^w@h/-x',
    `failed to parse url 'https://u:***@h/-x': parse "https://u:***@h/-x": net/url: invalid userinfo`,
    `failed to parse url 'https://u:p^w@h/-x': parse "https://u:p^w@h/-x": net/url: invalid userinfo`,
  ],
  [
    'https://u:p/w@h/x',
    `failed to parse url 'https://u:***@h/x': parse "https://u:***@h/x": invalid port after host`,
    `failed to parse url 'https://u:p/w@h/x': parse "https://u:p/w@h/x": invalid port ":p" after host`,
  ],
  [
    'https://u:p#w@h/x',
    `failed to parse url 'https://u:***@h/x': parse "https://u:***@h/x": invalid port after host`,
    `failed to parse url 'https://u:p#w@h/x': parse "https://u:p": invalid port ":p" after host`,
  ],
  [
    'https://u:%zz@h/x',
    `failed to parse url 'https://u:***@h/x': parse "https://u:***@h/x": invalid URL escape`,
    `failed to parse url 'https://u:%zz@h/x': parse "https://u:%zz@h/x": invalid URL escape "%zz"`,
  ],
  ['ftp://u:p@h/x', "failed to parse url 'ftp://u:***@h/x'", "failed to parse url 'ftp://u:p@h/x'"],
  [
    'https://token@h/-%zz',
    `failed to parse url 'https://***@h/-%zz': parse "https://***@h/-%zz": invalid URL escape`,
    `failed to parse url 'https://token@h/-%zz': parse "https://token@h/-%zz": invalid URL escape "%zz"`,
  ],
  ['https:/u:p@h/x', "failed to parse url 'https:/u:***@h/x'", "failed to parse url 'https:/u:p@h/x'"],
]
for (const [url, safe, flux] of logins)
  test(`the password of ${url} is told with the traps of Flux alone`, () => {
    assert.equal(refusal(url), safe)
    assert.equal(refusal(url, 'flux'), flux)
  })
