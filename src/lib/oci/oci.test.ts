import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../error/sluice-error.ts'
import { parseChallenge } from './challenge.ts'
import { digestOf, parseDigest } from './digest.ts'
import { parseManifest } from './manifest.ts'
import { compressionOf, MEDIA } from './media-types.ts'
import { selectPlatform } from './platform.ts'
import type { IndexManifest } from './types.ts'

const config = { mediaType: MEDIA.config, digest: digestOf('{}'), size: 2 }

test('a digest is sha256 or sha512 in lower-case hex', () => {
  assert.equal(parseDigest(digestOf('x'))?.algorithm, 'sha256')
  assert.equal(parseDigest(digestOf('x', 'sha512'))?.algorithm, 'sha512')
  assert.equal(parseDigest(digestOf('x').toUpperCase()), undefined)
  assert.equal(parseDigest('md5:abc'), undefined)
})

test('a manifest is read, and a wrong one names its field', () => {
  const good = { schemaVersion: 2, mediaType: MEDIA.manifest, config, layers: [] }
  const read = (value: unknown, type?: string): unknown => parseManifest(Buffer.from(JSON.stringify(value)), type, 'm')
  assert.equal((read(good) as { kind: string }).kind, 'image')
  const wrong: [unknown, RegExp, string?][] = [
    [{ ...good, schemaVersion: 1 }, /schemaVersion/],
    [{ ...good, config: { ...config, digest: 'sha256:1' } }, /config.digest/],
    [{ ...good, layers: [{ ...config, size: -1 }] }, /layers\[0\].size/],
    [good, /sent as/, MEDIA.index],
    [{ ...good, manifests: [] }, /no manifests/],
    [[], /not a JSON object/],
  ]
  for (const [value, message, type] of wrong)
    assert.throws(
      () => read(value, type),
      (error) => error instanceof SluiceError && message.test(error.message),
    )
})

test('a challenge is read, Bearer first', () => {
  assert.deepEqual(parseChallenge('Bearer realm="https://a.io/t",service="a.io",scope="repository:x:pull,push"'), {
    scheme: 'bearer',
    realm: 'https://a.io/t',
    service: 'a.io',
    scope: 'repository:x:pull,push',
  })
  assert.equal(parseChallenge('Basic realm="x", Bearer realm="https://a"')?.scheme, 'bearer')
  assert.equal(parseChallenge('Basic realm="x"')?.scheme, 'basic')
  assert.equal(parseChallenge('Negotiate'), undefined)
})

test('the compression of a layer follows from its media type', () => {
  assert.deepEqual(
    [MEDIA.layer, MEDIA.layerGzip, MEDIA.dockerLayerGzip, MEDIA.layerZstd, MEDIA.config].map(compressionOf),
    ['none', 'gzip', 'gzip', 'zstd', undefined],
  )
})

test('an index answers with the image of the platform', () => {
  const entry = (architecture: string, variant?: string) => ({
    ...config,
    annotations: { name: architecture + (variant ?? '') },
    platform: { os: 'linux', architecture, ...(variant ? { variant } : {}) },
  })
  const index: IndexManifest = {
    kind: 'index',
    mediaType: MEDIA.index,
    manifests: [entry('unknown'), entry('arm', 'v6'), entry('arm', 'v7'), entry('amd64')],
    subject: undefined,
    artifactType: undefined,
    annotations: undefined,
  }
  const name = (architecture: string, variant?: string): string | undefined =>
    selectPlatform(index, { os: 'linux', architecture, ...(variant ? { variant } : {}) })?.annotations?.['name']
  assert.equal(name('amd64'), 'amd64')
  assert.equal(name('arm', 'v7'), 'armv7')
  assert.equal(name('s390x'), undefined)
})
