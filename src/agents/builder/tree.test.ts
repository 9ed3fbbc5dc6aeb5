import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImageStore } from './store.ts'
import { readTree, type TreeNode } from './tree.ts'

type Entry = readonly [path: string, type: TreeNode['type'], linkPath?: string]

/** Layers whose index is at hand, as after the first look at them. */
async function treeOf(...layers: readonly (readonly Entry[])[]): Promise<readonly string[]> {
  const index = (id: string): string =>
    JSON.stringify(
      layers[Number(id)]?.map(([path, type, linkPath = '']) => ({
        ...{ path, type, linkPath, mode: 0o644, uid: 0, gid: 0, sizeBytes: 0, layer: id, offset: 0 },
      })),
    )
  const store = { cache: { get: async (key: string) => index(key.split(' ').at(-1) ?? '') } } as unknown as ImageStore
  const descriptor = { mediaType: '', digest: '', size: 0 }
  const tree = await readTree(
    store,
    layers.map((_, id) => ({ descriptor, diffId: String(id) })),
  )
  return [...tree].flatMap(([path, node]) => (path === '' ? [] : [`${path} ${node.type}`])).sort()
}

const LINKED: Entry[] = [
  ['usr/bin', 'directory'],
  ['usr/bin/x', 'directory'],
  ['usr/bin/x/old', 'file'],
  ['usr/bin/y', 'file'],
  ['bin', 'symlink', 'usr/bin'],
]

const cases: { it: string; layers: Entry[][]; want: string[] }[] = [
  {
    it: 'puts a link in the place of a folder of the same layer, with what is in it',
    layers: [
      [
        ['a/b/c', 'file'],
        ['d', 'file'],
        ['a', 'symlink', 'd'],
      ],
    ],
    want: ['a symlink', 'd file'],
  },
  {
    it: 'puts a file there, and what comes later below a folder again',
    layers: [
      [
        ['a/b', 'file'],
        ['a', 'file'],
        ['a', 'directory'],
        ['a/c', 'file'],
      ],
    ],
    want: ['a directory', 'a/c file'],
  },
  {
    it: 'follows the links of the image to the folder of an entry',
    layers: [
      [
        ['usr/lib', 'directory'],
        ['lib', 'symlink', 'usr/lib'],
      ],
      [
        ['lib/x', 'file'],
        ['y', 'link', 'lib/x'],
      ],
    ],
    want: ['lib symlink', 'usr directory', 'usr/lib directory', 'usr/lib/x file', 'y file'],
  },
  {
    it: 'puts a file in the place of a folder that a link leads to',
    layers: [LINKED, [['bin/x', 'file']]],
    want: ['bin symlink', 'usr directory', 'usr/bin directory', 'usr/bin/x file', 'usr/bin/y file'],
  },
  {
    it: 'takes away what a link leads to',
    layers: [
      LINKED,
      [
        ['bin/.wh.y', 'file'],
        ['bin/x/.wh..wh..opq', 'file'],
      ],
    ],
    want: ['bin symlink', 'usr directory', 'usr/bin directory', 'usr/bin/x directory'],
  },
  {
    it: 'takes nothing from where a link led that is a folder now',
    layers: [
      LINKED,
      [
        ['bin', 'directory'],
        ['bin/.wh.y', 'file'],
        ['bin/.wh..wh..opq', 'file'],
      ],
    ],
    want: [
      'bin directory',
      'usr directory',
      'usr/bin directory',
      'usr/bin/x directory',
      'usr/bin/x/old file',
      'usr/bin/y file',
    ],
  },
  {
    it: 'leaves no image with a file for its root',
    layers: [
      [
        ['', 'file'],
        ['a', 'file'],
      ],
    ],
    want: ['a file'],
  },
]
for (const { it, layers, want } of cases)
  test(`a tree of layers ${it}`, async () => {
    assert.deepEqual(await treeOf(...layers), want)
  })
