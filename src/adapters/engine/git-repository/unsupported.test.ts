import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseGitRepository } from '../../../kinds/git-repository.ts'
import { unsupportedField } from './unsupported.ts'

const refusal = (url: string): string | undefined =>
  unsupportedField(
    parseGitRepository({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { namespace: 'ns', name: 'app' },
      spec: { url, interval: '1m' },
    }),
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
