import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { recordTree, sameAnswers } from '../../src/adapters/engine/kustomization/build/source-tree.ts'
import type { SourceSnapshot } from '../../src/adapters/engine/source-store.ts'
import { SluiceError } from '../../src/lib/error/sluice-error.ts'
import { build, renderBuild, type BuildResult } from '../../src/lib/kustomize/build.ts'
import { treeOfFiles } from '../../src/lib/kustomize/files/tree.ts'
import { buildKustomization } from '../../src/pipeline/build/build-kustomization.ts'
import { generateTree, randomOf } from './generate-tree.ts'

/**
 * What a build says it depends on is exact: a change outside leaves the output as it was, one inside is noticed. Random trees, with
 * files that nothing names strewn in; the engine's own memory (recordTree, sameAnswers) is held against the same changes.
 */
const SEEDS = Array.from({ length: 25 }, (_, seed) => seed)
type Files = Map<string, string>

const NOISE = ['/README.md', '/top/unused.yaml', '/base0/notes.txt', '/base0/sub/kustomization.yaml', '/other/a.yaml']

function treeWithNoise(seed: number): Files {
  return new Map([...generateTree(seed), ...NOISE.map((path): [string, string] => [path, `# ${path}\n`])])
}

function outcome(run: () => string): string {
  try {
    return run()
  } catch (error) {
    if (error instanceof SluiceError) return `error: ${error.message}`
    throw error
  }
}

const built = (files: Files): BuildResult => build(treeOfFiles(files), '/top')
const text = (files: Files): string => outcome(() => renderBuild(built(files)))

test('dependencies: files outside the reported set do not matter', () => {
  let checked = 0
  for (const seed of SEEDS) {
    const files = treeWithNoise(seed)
    const before = text(files)
    if (before.startsWith('error: ')) continue
    const { filesRead } = built(files)
    for (const path of files.keys()) {
      if (filesRead.includes(path)) continue
      checked++
      assert.equal(text(new Map(files).set(path, 'changed: [')), before, `${seed}: ${path} changed`)
      const without = new Map(files)
      without.delete(path)
      assert.equal(text(without), before, `${seed}: ${path} removed`)
    }
  }
  assert.ok(checked > 50, String(checked))
})

test('dependencies: a file that was read is missed, one that was looked for in vain is noticed', () => {
  for (const seed of SEEDS) {
    const files = treeWithNoise(seed)
    const before = text(files)
    if (before.startsWith('error: ')) continue
    const { filesRead, filesMissed } = built(files)
    for (const path of filesRead) {
      const without = new Map(files)
      without.delete(path)
      assert.notEqual(text(without), before, `${seed}: ${path} removed`)
    }
    for (const path of filesMissed)
      assert.notEqual(text(new Map(files).set(path, 'kind: X\n')), before, `${seed}: ${path} added`)
  }
})

function snapshotOf(files: Files): SourceSnapshot {
  const entries = [...files].map(([path, content]) => {
    const hash = createHash('sha1').update(content).digest('hex')
    return [path.slice(1), { path: path.slice(1), hash, isExecutable: false }] as const
  })
  return { key: 'k', revision: '', digest: '', files: new Map(entries), read: () => Promise.resolve(Buffer.alloc(0)) }
}

function engineBuild(files: Files, path: string): { yaml: string; reads: ReadonlyMap<string, string> } {
  const snapshot = snapshotOf(files)
  const bytes = new Map(
    [...files].map(([name, content]) => [snapshot.files.get(name.slice(1))?.hash ?? '', Buffer.from(content)]),
  )
  const { tree, reads } = recordTree(snapshot, '/src', bytes)
  return { yaml: outcome(() => buildKustomization({ tree, root: '/src', path, spec: {} }).yaml), reads }
}

for (const path of ['top', 'plain'])
  test(`dependencies: the engine keeps its build of ${path} only while it would be the same`, () => {
    let kept = 0
    for (const seed of SEEDS) {
      const r = randomOf(seed)
      const files = treeWithNoise(seed)
      files.set('/plain/a.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n')
      files.set('/plain/deep/b.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n')
      files.set('/plain/c.txt', 'no manifest\n')
      const before = engineBuild(files, path)
      const all = [...files.keys(), `/${path}/kustomization.yml`, '/plain/new.yaml', '/base0/new.yaml', '/top/deep/x']
      for (let i = 0; i < 12; i++) {
        const changed = new Map(files)
        const target = r.pick(all)
        if (r.chance(0.3)) changed.delete(target)
        else changed.set(target, `${files.get(target) ?? ''}# changed\n`)
        if (!sameAnswers(snapshotOf(changed), before.reads)) continue
        kept++
        assert.equal(engineBuild(changed, path).yaml, before.yaml, `${seed}: ${target}`)
      }
    }
    assert.ok(kept > 50, String(kept))
  })

test('dependencies: a folder without a kustomization file depends on what it holds, and on none being added', () => {
  const files: Files = new Map([
    ['/app/a.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n'],
    ['/app/notes.txt', 'x\n'],
  ])
  const { filesRead, filesMissed, foldersListed } = buildKustomization({
    tree: treeOfFiles(files),
    path: 'app',
    spec: {},
  })
  assert.deepEqual(filesRead, ['/app/a.yaml'])
  assert.ok(filesMissed.includes('/app/kustomization.yaml'))
  assert.deepEqual(foldersListed, ['/app'])
})
