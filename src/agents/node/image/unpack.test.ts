import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { packTar } from '../../../lib/tar/write.ts'
import { findInLayer, resolveInLayers } from './layered-path.ts'
import { unpackLayer } from './unpack.ts'

type Place = { readonly outside: string; readonly upper: string; readonly lower: string }

/** A layer below with a link out of the image, an empty one above it, and a folder of the machine. */
function makePlace(t: TestContext): Place {
  const root = mkdtempSync(join(tmpdir(), 'sluice-unpack-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const [outside, upper, lower] = [join(root, 'outside'), join(root, 'upper'), join(root, 'lower')]
  mkdirSync(join(outside, 'keys'), { recursive: true, mode: 0o700 })
  writeFileSync(join(outside, 'secret'), 'of the machine')
  for (const folder of [upper, lower]) mkdirSync(folder)
  symlinkSync(outside, join(lower, 'out'))
  return { outside, upper, lower }
}

type Entry = Parameters<typeof packTar>[0][number]

function unpack({ upper, lower }: Place, entries: readonly Entry[]): Promise<void> {
  const onWhiteout = (): void => undefined
  return unpackLayer(Readable.from([packTar(entries)]), {
    folder: upper,
    below: [lower],
    keepOwners: false,
    onWhiteout,
  })
}

const folder = (path: string, mode = 0o755): Entry => ({ path, type: 'directory', mode })
const file = (path: string): Entry => ({ path, type: 'file', content: Buffer.from(path) })
const link = (path: string, linkPath: string): Entry => ({ path, type: 'symlink', linkPath })
const hardLink = (path: string, linkPath: string): Entry => ({ path, type: 'link', linkPath })

test('a folder that a later entry makes a link out of the image changes no mode there', async (t) => {
  const place = makePlace(t)
  await unpack(place, [folder('a'), folder('a/keys', 0o777), link('a', place.outside)])
  assert.equal(statSync(join(place.outside, 'keys')).mode & 0o777, 0o700)
})

test('a hard link reaches no file through a link of a layer below that a folder hides', async (t) => {
  const place = makePlace(t)
  await assert.rejects(unpack(place, [folder('out'), hardLink('mine', 'out/secret')]), /which is no file of the image/)
  assert.equal(existsSync(join(place.upper, 'mine')), false)
})

test('a path through layers finds nothing outside of them', (t) => {
  const { upper, lower } = makePlace(t)
  mkdirSync(join(upper, 'out'))
  assert.deepEqual(resolveInLayers([upper, lower], 'out/secret'), {
    path: 'out/secret',
    file: undefined,
    stats: undefined,
  })
  writeFileSync(join(upper, 'file'), '')
  mkdirSync(join(lower, 'file'))
  writeFileSync(join(lower, 'file', 'below'), '')
  assert.equal(resolveInLayers([upper, lower], 'file/below').file, undefined, 'a file hides the folder below it')
  assert.equal(findInLayer(lower, 'out/secret'), 'hidden')
})

test('a later entry takes the place of a folder with what is in it, as runtimes do it', async (t) => {
  const place = makePlace(t)
  await unpack(place, [file('b'), file('a/x'), hardLink('a', 'b'), file('c/x'), link('c', 'd'), file('c/y')])
  assert.equal(readFileSync(join(place.upper, 'a'), 'utf8'), 'b')
  assert.equal(readFileSync(join(place.upper, 'd/y'), 'utf8'), 'c/y')
})

for (const [what, entries] of [
  ['a file', [file('a'), file('a/b')]],
  ['a hard link that took the place of its folder', [file('b'), file('a/x'), hardLink('a', 'b'), file('a/y')]],
] as const)
  test(`what lies below ${what} is refused by name`, async (t) => {
    const name = entries.at(-1)?.path ?? ''
    await assert.rejects(unpack(makePlace(t), entries), {
      code: 'IMAGE_UNSAFE',
      message: `the image is refused: its entry "${name}" lies below something that is no folder`,
    })
  })

const deep = (folders: number): string => Array.from({ length: folders }, () => 'd').join('/')

test('folders may lie within each other 255 times, whatever a layer takes away between them', async (t) => {
  const place = makePlace(t)
  await unpack(place, [file(`${deep(254)}/a`), file('.wh.gone'), file(`${deep(254)}/b`)])
  assert.equal(resolveInLayers([place.upper], `${deep(254)}/b`).path, `${deep(254)}/b`)
})

for (const [what, entries] of [
  ['an entry', [file(`${deep(255)}/a`)]],
  ['a symlink', [file(`${deep(250)}/a`), link('l', deep(250)), file(`l/${deep(10)}/a`)]],
] as const)
  test(`${what} that leads below more folders is refused`, async (t) =>
    assert.rejects(unpack(makePlace(t), entries), { code: 'IMAGE_UNSAFE', message: /more than 255 folders/ }))
