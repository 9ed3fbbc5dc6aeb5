import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderMetadata, type MetadataInput } from './docker-metadata.ts'

const calm: MetadataInput = {
  images: ['r/app'],
  rules: [],
  flavor: [],
  ref: 'refs/heads/main',
  commit: '0123456789abcdef0123456789abcdef01234567',
  pull: undefined,
  repositoryUrl: 'http://git/app.git',
  title: 'app',
}
const release = { ref: 'refs/tags/v1.2.3' }
const cases: { it: string; input: Partial<MetadataInput>; want: readonly string[] }[] = [
  { it: 'a branch by default', input: {}, want: ['main'] },
  { it: 'a branch with a slash', input: { ref: 'refs/heads/feature/x' }, want: ['feature-x'] },
  { it: 'a pull request', input: { ref: 'refs/pull/7/merge', pull: 7 }, want: ['pr-7'] },
  { it: 'a tag', input: release, want: ['v1.2.3'] },
  {
    it: 'semver',
    input: { ...release, rules: ['type=semver,pattern={{version}}', 'type=semver,pattern={{major}}.{{minor}}'] },
    want: ['1.2.3', '1.2', 'latest'],
  },
  {
    it: 'semver without latest',
    input: { ...release, rules: ['type=semver,pattern={{version}}'], flavor: ['latest=false'] },
    want: ['1.2.3'],
  },
  {
    it: 'a pre-release has no short forms',
    input: { ref: 'refs/tags/v1.2.3-rc.1', rules: ['type=semver,pattern={{major}}'] },
    want: ['1.2.3-rc.1'],
  },
  { it: 'semver on a branch', input: { rules: ['type=semver,pattern={{version}}'] }, want: [] },
  { it: 'the commit', input: { rules: ['type=sha'] }, want: ['sha-0123456'] },
  {
    it: 'raw, with prefix, suffix and a switch',
    input: { rules: ['type=raw,value=x,prefix=a-,suffix=-b', 'type=raw,value=y,enable=false'] },
    want: ['a-x-b'],
  },
]
for (const { it, input, want } of cases)
  test(`image tags: ${it}`, () => {
    const made = renderMetadata({ ...calm, ...input })
    assert.deepEqual(
      typeof made === 'string' ? made : made.tags,
      want.map((tag) => `r/app:${tag}`),
    )
  })

test('an unknown rule is named', () =>
  assert.match(String(renderMetadata({ ...calm, rules: ['type=pep440'] })), /pep440/))
