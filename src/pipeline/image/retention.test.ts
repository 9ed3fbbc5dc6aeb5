import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ManifestHeld } from '../../lib/oci/contents.ts'
import { namedImages, registryNames } from './named-images.ts'
import { decideRetention, type Pin } from './retention.ts'

const DAY = 24 * 3600 * 1000
const now = 1000 * DAY
const rules = { newest: 2, releases: 1, youngerThanMs: 14 * DAY }
const digest = (n: number): string => `sha256:${String(n).padStart(64, '0')}`
const shared = { digest: digest(900), sizeBytes: 1000 }

/** An image of 10 bytes with a layer of its own (100) and one that all share (1000), as many days old as its number. */
const image = (n: number, ...tags: readonly string[]): ManifestHeld => ({
  digest: digest(n),
  tags,
  sizeBytes: 10,
  pushedAtMs: now - n * DAY,
  isIndex: false,
  parts: [shared, { digest: digest(500 + n), sizeBytes: 100 }],
})
const index = (n: number, of: readonly number[], ...tags: readonly string[]): ManifestHeld => ({
  ...image(n, ...tags),
  isIndex: true,
  parts: of.map((one) => ({ digest: digest(one), sizeBytes: 10 })),
})
const pin = (version: string): Pin => ({ repository: 'web', version, by: 'somebody' })

const cases: {
  readonly it: string
  readonly manifests: readonly ManifestHeld[]
  readonly pins?: readonly Pin[]
  readonly goes: readonly number[]
  readonly frees?: number
}[] = [
  { it: 'keeps what is young', manifests: [1, 5, 9, 13].map((n) => image(n, `t${n}`)), goes: [] },
  {
    it: 'keeps the newest of what is old',
    manifests: [40, 50, 60].map((n) => image(n, `t${n}`)),
    goes: [60],
    frees: 110,
  },
  {
    it: 'counts those without a tag not',
    manifests: [image(20), image(30, 'a'), image(40, 'b'), image(50, 'c')],
    goes: [20, 50],
  },
  {
    it: 'keeps the newest release',
    manifests: [image(40, 'a'), image(41, 'b'), image(60, 'v1.2.0'), image(70, '1.1.0')],
    goes: [70],
  },
  {
    it: 'takes a prerelease for no release',
    manifests: [image(40, 'a'), image(41, 'b'), image(60, '1.2.0-main.3')],
    goes: [60],
  },
  { it: 'keeps a tag in use', manifests: [40, 50, 60].map((n) => image(n, `t${n}`)), pins: [pin('t60')], goes: [] },
  {
    it: 'keeps a digest in use',
    manifests: [40, 50, 60].map((n) => image(n, `t${n}`)),
    pins: [pin(digest(60))],
    goes: [],
  },
  {
    it: 'is not held by a use of another repository',
    manifests: [40, 50, 60].map((n) => image(n, `t${n}`)),
    pins: [{ ...pin('t60'), repository: 'api' }],
    goes: [60],
  },
  {
    it: 'keeps the images of a kept index',
    manifests: [index(40, [60, 61], 'a'), image(60), image(61), image(62)],
    goes: [62],
  },
  {
    it: 'lets the images of an index go with it',
    manifests: [image(40, 'a'), image(41, 'b'), index(70, [80], 'c'), image(80)],
    goes: [70, 80],
  },
  {
    it: 'keeps the signatures of what is kept alone',
    manifests: [
      image(40, 'a'),
      image(41, 'b'),
      image(60, 'c'),
      { ...image(42), subject: digest(40) },
      { ...image(43), subject: digest(60) },
      image(44, `sha256-${digest(41).slice(7)}.sig`),
      image(45, `sha256-${digest(60).slice(7)}.sig`),
    ],
    goes: [60, 43, 45],
  },
  {
    it: 'counts what says something about an image for no image, though it has a tag',
    manifests: [image(40, 'a'), { ...image(41, 'sbom'), subject: digest(40) }, image(42, 'b')],
    goes: [],
  },
  {
    it: 'keeps the signature of a signature, in whatever order they stand',
    manifests: [{ ...image(42), subject: digest(41) }, { ...image(41), subject: digest(40) }, image(40, 'a')],
    goes: [],
  },
  {
    it: 'lets go what is just as old as the limit',
    manifests: [image(14), image(40, 'a'), image(41, 'b')],
    goes: [14],
  },
  { it: 'frees what all share when none is left', manifests: [image(30), image(31)], goes: [30, 31], frees: 1220 },
]
for (const { it, manifests, pins = [], goes, frees } of cases)
  test(`retention ${it}`, () => {
    const { removed, kept, freedBytes } = decideRetention([{ name: 'web', manifests }], pins, rules, now)
    assert.deepEqual(removed.map((one) => one.digest).sort(), goes.map(digest).sort())
    assert.equal(kept.length + removed.length, manifests.length)
    if (frees !== undefined) assert.equal(freedBytes, frees)
  })

test('a layer that another repository needs is not counted as freed', () => {
  const two = [
    { name: 'web', manifests: [image(40)] },
    { name: 'api', manifests: [image(1, 'x')] },
  ]
  assert.equal(decideRetention(two, [], rules, now).freedBytes, 110)
})

const HOSTS = ['registry.sluice.local', '127.0.0.1:5000']
const named: { readonly it: string; readonly object: object; readonly want: readonly string[] }[] = [
  {
    it: 'in a template and in an annotation',
    object: {
      kind: 'Deployment',
      spec: { image: 'registry.sluice.local/a/web:1.0' },
      note: 'was 127.0.0.1:5000/web:0.9, ok',
    },
    want: ['a/web 1.0', 'web 0.9'],
  },
  {
    it: 'by digest, with and without a tag',
    object: { kind: 'Pod', a: `registry.sluice.local/web@${digest(1)}`, b: `registry.sluice.local/api:2@${digest(2)}` },
    want: [`api 2`, `api ${digest(2)}`, `web ${digest(1)}`],
  },
  { it: 'without both', object: { kind: 'Pod', a: 'registry.sluice.local/web' }, want: ['web latest'] },
  { it: 'of another registry', object: { kind: 'Pod', a: 'my.registry.sluice.local/web:1 ghcr.io/web:2' }, want: [] },
  {
    it: 'as a policy chose it',
    object: {
      kind: 'ImagePolicy',
      status: {
        latestRef: { name: 'registry.sluice.local/web', tag: '3', digest: digest(3) },
        observedPreviousRef: { name: 'registry.sluice.local/web', tag: '2' },
      },
    },
    want: ['web 2', 'web 3', 'web latest', `web ${digest(3)}`],
  },
  {
    it: 'as an artifact',
    object: {
      kind: 'OCIRepository',
      spec: { url: 'oci://registry.sluice.local/manifests', ref: { semver: '1.x' } },
      status: { artifact: { revision: `1.4.0@${digest(4)}` } },
    },
    want: ['manifests 1.4.0', 'manifests latest', `manifests ${digest(4)}`],
  },
]
for (const { it, object, want } of named)
  test(`an image is found that is named ${it}`, () => {
    const whole = { apiVersion: 'v1', kind: '', metadata: { namespace: 'default', name: 'x' }, ...object }
    assert.deepEqual(
      namedImages(whole, HOSTS)
        .map(({ repository, version }) => `${repository} ${version}`)
        .sort(),
      want,
    )
  })

test('an image that a pod names by localhost is one of the registry on this machine, and of no other', () => {
  const pod = (image: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a' },
    spec: { containers: [{ image }] },
  })
  const named = (host: string, image: string): number =>
    namedImages(pod(image), registryNames('registry.test', host)).length
  assert.equal(named('127.0.0.1:5000', 'localhost:5000/app:1'), 1)
  assert.equal(named('[::1]:5000', 'localhost:5000/app:1'), 1)
  assert.equal(named('127.0.0.1:5000', 'localhost:5001/app:1'), 0)
  assert.equal(named('10.0.0.1:5000', 'localhost:5000/app:1'), 0)
})
