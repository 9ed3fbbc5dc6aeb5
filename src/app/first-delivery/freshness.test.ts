import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../lib/kube/object.ts'
import { type Held, notYetSeen } from './freshness.ts'

const object = (kind: string, spec: object, status: object): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'app', namespace: 'default' },
  ...{ spec, status },
})
const source = (revision: string, ref: object = { branch: 'main' }): KubeObject =>
  object('GitRepository', { url: 'http://git/app.git', ref }, { artifact: { revision } })
const scan = (scanTime: string, image = 'registry/app'): KubeObject =>
  object('ImageRepository', { image }, { lastScanResult: { scanTime } })
const atMs = (second: number): number => Date.UTC(2026, 0, 1, 0, 0, second)

const held: Held = {
  heads: new Map([['http://git/app.git main', 'b']]),
  pushedAtMs: new Map([['registry/app', atMs(20) + 400]]),
  registryHost: 'registry',
  startedAtMs: atMs(10),
}
const PUSH = 'GitRepository default/app to see the last push'
const IMAGE = 'ImageRepository default/app to see the last image'

const cases: { it: string; source?: KubeObject; image?: KubeObject; held?: Partial<Held>; want: string | undefined }[] =
  [
    { it: 'is nothing when all was seen', want: undefined },
    { it: 'is a source at an older commit', source: source('main@sha1:a'), want: PUSH },
    {
      it: 'is not a source that is pinned',
      source: source('v1@sha1:a', { branch: 'main', tag: 'v1' }),
      want: undefined,
    },
    { it: 'is an image pushed after its scan', image: scan('2026-01-01T00:00:19Z'), want: IMAGE },
    {
      it: 'is a scan of an earlier process',
      held: { pushedAtMs: new Map() },
      image: scan('2026-01-01T00:00:09Z'),
      want: IMAGE,
    },
    { it: 'is no image of others', image: scan('2026-01-01T00:00:09Z', 'ghcr.io/app'), want: undefined },
  ]
for (const one of cases)
  test(`not yet seen ${one.it}`, () => {
    const sources = [one.source ?? source('main@sha1:b')]
    const images = [one.image ?? scan('2026-01-01T00:00:20Z')]
    assert.equal(notYetSeen({ ...held, ...one.held }, sources, images), one.want)
  })
