import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { describePushes } from './push-fact.ts'

test('a push is told with as much of its commit as the record can hold, and not when it leads to no commit', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-push-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const folder = join(root, 'app.git')
  const identity = { NAME: 'ada'.repeat(500), EMAIL: 'ada@example.org', DATE: '@1700000000 +0000' }
  const env = Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((who) => Object.entries(identity).map(([key, one]) => [`GIT_${who}_${key}`, one])),
  )
  const git = (args: readonly string[], input = ''): string =>
    execFileSync('git', args, { input, env: { ...process.env, ...env }, encoding: 'utf8' }).trim()
  git(['init', '-q', '--bare', folder])
  const tree = git(['--git-dir', folder, 'mktree'])
  const commit = git(['--git-dir', folder, 'commit-tree', tree], `short\n\n${'long '.repeat(100_000)}`)
  const push = { repository: 'app', ref: 'refs/heads/main', before: '', after: commit, user: '' }
  const describe = describePushes(root)
  const fact = await describe(push)
  assert.ok(fact?.kind === 'push')
  assert.deepEqual([fact.commit, fact.author.length, fact.message.length <= 16 << 10], [commit, 200, true])
  assert.match(fact.message, /^short\n\nlong long/)
  assert.equal(await describe({ ...push, ref: 'refs/tags/tree', after: tree }), undefined)
  // what comes while a git reads is read together, among it what is no commit, what is not there and a tag
  const tag = git(
    ['--git-dir', folder, 'mktag'],
    `object ${commit}\ntype commit\ntag v1\ntagger A <a@b> 1 +0000\n\nv1\n`,
  )
  const other = git(['--git-dir', folder, 'commit-tree', '-m', '', tree])
  const objects = [tree, commit, 'f'.repeat(40), tag, other, commit, '0'.repeat(40)]
  const facts = await Promise.all(objects.map((after) => describe({ ...push, after })))
  const commits = facts.map((one) => one?.kind === 'push' && one.commit)
  assert.deepEqual(commits, [false, commit, false, commit, other, commit, false])
})
