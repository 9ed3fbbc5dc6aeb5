import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { treeOfFiles } from '../src/lib/kustomize/tree.ts'
import { buildKustomization, isLocalRelative } from '../src/pipeline/build/build-kustomization.ts'
import { substitute } from '../src/pipeline/build/substitute.ts'

type Expansion = {
  readonly vars: Record<string, string>
  readonly input: string
  readonly output: string
  readonly strict: boolean
  readonly error?: unknown
}
type Image = { readonly Name: unknown; readonly NewName?: string; readonly NewTag?: string; readonly Digest?: unknown }
type Generator = {
  readonly Test_Images: readonly {
    readonly name: string
    readonly existingImages?: readonly Image[]
    readonly fluxImages?: readonly Image[]
    readonly expectedImage: unknown
  }[]
  readonly Test_IsLocalRelativePath: readonly { readonly path: string; readonly expected: boolean }[]
}

const root = join(process.env['SLUICE_CONFORMANCE'] ?? '../shared/conformance', 'flux')
const skip = existsSync(root) ? false : `no conformance data at ${root} (SLUICE_CONFORMANCE)`

function table<T>(name: string): T | undefined {
  return skip ? undefined : (JSON.parse(readFileSync(join(root, name), 'utf8')) as T)
}

test('flux build: the conformance data is there', { skip }, () => assert.ok(table('envsubst.json')))

for (const { vars, input, output, strict, error } of table<{ expand: Expansion[] }>('envsubst.json')?.expand ?? []) {
  test(`substitute ${JSON.stringify(input)}${strict ? ' strictly' : ''}`, () => {
    const run = (): string => substitute(input, new Map(Object.entries(vars)), strict)
    if (error) assert.throws(run)
    else assert.equal(run(), output)
  })
}

const generator = table<Generator>('kustomize-generator.json')

for (const { path, expected } of generator?.Test_IsLocalRelativePath ?? [])
  test(`component path ${path} is${expected ? '' : ' not'} local and relative`, () =>
    assert.equal(isLocalRelative(path), expected))

const IDS: Readonly<Record<string, string>> = {
  containerImage: 'ghcr.io/app/podinfo',
  digest: 'sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3',
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return ''
  const parts = JSON.stringify(value).match(/"\$id":"(\w+)"|"((?:[^"$\\]|\\.)+)"(?!:)/g) ?? []
  return parts.map((part) => IDS[/"\$id":"(\w+)"/.exec(part)?.[1] ?? ''] ?? part.replaceAll('"', '')).join('')
}

function imageOf({ Name, NewName, NewTag, Digest }: Image): Record<string, string> {
  return {
    name: plain(Name),
    ...(NewName ? { newName: NewName } : {}),
    ...(NewTag ? { newTag: NewTag } : {}),
    ...(Digest ? { digest: plain(Digest) } : {}),
  }
}

for (const { name, existingImages, fluxImages, expectedImage } of generator?.Test_Images ?? []) {
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
          JSON.stringify({ resources: ['pod.yaml'], images: (existingImages ?? []).map(imageOf) }),
        ],
        ['/pod.yaml', JSON.stringify(pod)],
      ]),
    )
    const { objects } = buildKustomization({ tree, path: './', spec: { images: (fluxImages ?? []).map(imageOf) } })
    const want = plain(expectedImage)
    if (typeof expectedImage === 'string')
      assert.ok(JSON.stringify(objects).includes(`"image":"${want}"`), `${JSON.stringify(objects)} has ${want}`)
  })
}
