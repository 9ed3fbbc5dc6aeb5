import assert from 'node:assert/strict'
import { test } from 'node:test'
import { treeOfFiles } from '../../src/lib/kustomize/files/tree.ts'
import { buildKustomization, isLocalRelative } from '../../src/pipeline/build/build-kustomization.ts'
import { substitute } from '../../src/pipeline/build/substitute.ts'

import { fluxSkip as skip, fluxTable } from '../support/flux-tables.ts'

type Image = { readonly Name: unknown; readonly NewName?: string; readonly NewTag?: string; readonly Digest?: unknown }

test('flux build: the conformance data is there', { skip }, () =>
  assert.ok(fluxTable('envsubst.json', 'expand').length > 0),
)

for (const { vars, input, output, strict, error } of [
  ...fluxTable('envsubst.json', 'expand'),
  ...fluxTable('envsubst.json', 'strict'),
]) {
  test(`substitute ${JSON.stringify(input)}${strict ? ' strictly' : ''}`, () => {
    const run = (): string =>
      substitute(input, new Map(Object.entries<string>(vars)), { isStrict: strict, traps: 'flux' })
    if (error) assert.throws(run, typeof error === 'string' ? new RegExp(error) : Error)
    else assert.equal(run(), output)
  })
}

for (const { path, expected } of fluxTable('kustomize-generator.json', 'Test_IsLocalRelativePath'))
  test(`component path ${path} is${expected ? '' : ' not'} local and relative`, () =>
    assert.equal(isLocalRelative(path), expected))

const IDS: Readonly<Record<string, string>> = {
  containerImage: 'ghcr.io/app/podinfo',
  digest: 'sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3',
}

/** A text, a constant of the table, or both put together: `containerImage + ":v2.0.0@" + digest`. */
function plain(value: unknown): string {
  if (typeof value === 'string') return value
  const { $id, $go } = value as { $id?: string; $go?: string }
  if ($id !== undefined) return IDS[$id] ?? ''
  const parts = ($go ?? '').split(' + ').map((part) => /^"(.*)"$/.exec(part)?.[1] ?? IDS[part])
  assert.ok(!parts.includes(undefined), $go)
  return parts.join('')
}

function imageOf({ Name, NewName, NewTag, Digest }: Image): Record<string, string> {
  return {
    name: plain(Name),
    ...(NewName ? { newName: NewName } : {}),
    ...(NewTag ? { newTag: NewTag } : {}),
    ...(Digest ? { digest: plain(Digest) } : {}),
  }
}

for (const { name, existingImages, fluxImages, expectedImage } of fluxTable(
  'kustomize-generator.json',
  'Test_Images',
)) {
  test(`images: ${name}`, () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', image: IDS['containerImage'] }] },
    }
    const tree = treeOfFiles(
      new Map([
        [
          '/kustomization.yaml',
          JSON.stringify({ resources: ['pod.yaml'], images: ((existingImages ?? []) as Image[]).map(imageOf) }),
        ],
        ['/pod.yaml', JSON.stringify(pod)],
      ]),
    )
    const { objects } = buildKustomization({
      tree,
      path: './',
      spec: { images: ((fluxImages ?? []) as Image[]).map(imageOf) },
    })
    const want = plain(expectedImage)
    assert.ok(JSON.stringify(objects).includes(`"image":"${want}"`), `${JSON.stringify(objects)} has ${want}`)
  })
}
