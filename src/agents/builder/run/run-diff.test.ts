import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Tree, TreeNode } from '../tree.ts'
import { readUpper } from './run-diff.ts'

const file: TreeNode = { type: 'file', mode: 0o644, uid: 0, gid: 0, sizeBytes: 0, linkPath: '', layer: '', offset: 0 }
const folder: TreeNode = { ...file, type: 'directory', mode: 0o755 }

function treeOf(folders: number, files: number): Tree {
  const tree = new Map<string, TreeNode>([['', folder]])
  for (let at = 0; at < folders; at++) {
    tree.set(`f${at}`, folder)
    for (let name = 0; name < files; name++) tree.set(`f${at}/n${name}`, file)
  }
  return tree
}

test('what a step hid in many folders is found in a time that grows with their files', async () => {
  const upper = mkdtempSync(join(tmpdir(), 'sluice-upper-'))
  try {
    const merged = new Map<string, readonly string[]>()
    for (let at = 0; at < 2_000; at++) {
      mkdirSync(join(upper, `f${at}`))
      merged.set(`f${at}`, ['n1'])
    }
    writeFileSync(join(upper, 'f7', 'n0'), 'new')
    const before = process.cpuUsage()
    const entries = await readUpper(upper, treeOf(2_000, 60), merged)
    const { user } = process.cpuUsage(before)
    assert.equal(entries.filter(({ path }) => path.includes('.wh.')).length, 2_000 * 59 - 1)
    assert.ok(!entries.some(({ path }) => path === 'f7/.wh.n0' || path.endsWith('/.wh.n1')))
    assert.ok(user < 5_000_000, String(user))
  } finally {
    rmSync(upper, { recursive: true, force: true })
  }
})
