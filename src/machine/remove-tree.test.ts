import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeTree, removeTreeOrTell, removeTreeSync } from './remove-tree.ts'

const leftovers: { it: string; script: string }[] = [
  { it: 'with files', script: 'mkdir -p a/b; echo x > a/b/c' },
  {
    it: 'deeper than a path may be long',
    script: 'name=$(printf %0200d 1); for i in $(seq 1 60); do mkdir $name && cd $name; done; echo x > y',
  },
  {
    it: 'deep twice',
    script:
      'for a in a b; do (mkdir $a; cd $a; for i in $(seq 1 400); do mkdir much-deeper && cd much-deeper; done); done',
  },
  {
    it: 'deep, and with what an earlier try had moved',
    script: 'mkdir .far-0; echo x > .far-0/y; for i in $(seq 1 400); do mkdir much-deeper && cd much-deeper; done',
  },
  {
    it: 'deep, with so much beside it that its removal goes on after the first fault',
    script: `for a in $(seq 1 40); do mkdir -p $a/b/c/{1..20}; touch $a/b/c/{1..20}/{1..5}; done
      for a in 0 20; do (mkdir -p $a; cd $a; for i in $(seq 1 400); do mkdir much-deeper && cd much-deeper; done); done`,
  },
  { it: 'with folders that nobody may read', script: 'mkdir -p a/b/c; chmod 0 a/b/c a/b a' },
  {
    it: 'with names that are no text',
    script: `for i in $(seq 1 60); do mkdir $'\\xff'"$(printf '%0200d' 1)" && cd $'\\xff'*; done`,
  },
  { it: 'with a link to a folder outside', script: 'mkdir a; ln -s / a/root; ln -s nowhere a/dangling' },
]
for (const { it, script } of leftovers)
  for (const [name, remove] of Object.entries({ removeTree, removeTreeSync }))
    test(`${name} removes a folder ${it}`, async () => {
      const path = mkdtempSync(join(tmpdir(), 'sluice-tree-'))
      execFileSync('bash', ['-c', script], { cwd: path })
      await remove(path)
      assert.ok(!existsSync(path))
    })

test('a folder that is not there is removed already', async () => {
  await removeTree(join(tmpdir(), 'sluice-no-such-folder'))
  removeTreeSync(join(tmpdir(), 'sluice-no-such-folder'))
})

test('what cannot be removed after work is told, and changes nothing of its result', async () => {
  const told: string[] = []
  await removeTreeOrTell('no\0path', (line) => told.push(line))
  assert.match(told.join('\n'), /^the folder "no\0path" cannot be removed: .*null bytes/)
})
