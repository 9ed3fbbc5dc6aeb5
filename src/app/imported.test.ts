import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRepository } from '../embedded/gitd/create.ts'
import { compareWithImported } from './imported.ts'
import { followedBranch, inspectRepository } from './repository.ts'

const NOW = Date.UTC(2026, 0, 1)
const IDENTITY = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgsign=false']

const inSpace = async (body: (dir: string, state: string) => Promise<void>): Promise<void> => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-imported-'))
  const state = join(dir, 'state')
  try {
    await body(dir, state)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const git = (folder: string, ...argv: string[]): string => {
  const { status, stdout, stderr } = spawnSync('git', ['-C', folder, ...IDENTITY, ...argv], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout.trim()
}

const folderOf = (path: string, text: string): string => {
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'a.yaml'), text)
  return path
}

const repositoryOf = (path: string): string => {
  folderOf(path, 'one\n')
  git(path, 'init', '--quiet', '-b', 'main')
  return commit(path)
}

const commit = (path: string): string => {
  git(path, 'add', '.')
  git(path, 'commit', '--quiet', '-m', 'a change')
  return git(path, 'rev-parse', 'HEAD')
}

const importInto = async (state: string, path: string): Promise<void> => {
  const { name, origin } = inspectRepository(path, {}, NOW)
  await createRepository(join(state, 'git'), name, origin)
}

const compare = (state: string, path: string) => compareWithImported(state, inspectRepository(path, {}, NOW))

test('a commit that was never pushed is named beside the one that is delivered, until it is pushed', () =>
  inSpace(async (dir, state) => {
    const path = join(dir, 'my work', 'app')
    const first = repositoryOf(path)
    assert.equal(await compare(state, path), undefined)
    await importInto(state, path)
    assert.equal(await compare(state, path), undefined)
    folderOf(path, 'two\n')
    const second = commit(path)
    const differs = await compare(state, path)
    const said = `${path} is at ${second.slice(0, 7)} (main), which was never pushed; delivered is ${first.slice(0, 7)} (main)`
    assert.equal(differs?.what, said)
    assert.match(differs?.remedy('http://x/app.git') ?? '', /push http:\/\/x\/app\.git HEAD:main/)
    git(path, 'push', '--quiet', join(state, 'git/app.git'), 'HEAD:main')
    assert.equal(await compare(state, path), undefined)
    git(path, 'checkout', '--quiet', first) // an older commit is delivered, too
    assert.equal(await compare(state, path), undefined)
  }))

test('a folder whose files changed is named with the files, and not when the change is taken back', () =>
  inSpace(async (dir, state) => {
    const path = folderOf(join(dir, 'app'), 'one\n')
    await importInto(state, path)
    assert.equal(await compare(state, path), undefined)
    folderOf(path, 'two\n')
    for (const name of ['b.yaml', 'c.yaml', 'd.yaml']) writeFileSync(join(path, name), name)
    const { what } = (await compare(state, path)) ?? { what: '' }
    assert.match(what, /differs from [0-9a-f]{7}, .*\(a\.yaml, b\.yaml, c\.yaml and 1 more\); delivered is [0-9a-f]{7}/)
    for (const name of ['b.yaml', 'c.yaml', 'd.yaml']) rmSync(join(path, name))
    folderOf(path, 'one\n')
    assert.equal(await compare(state, path), undefined)
  }))

test('another repository on the same state, and one with nothing in it, are refused by name', () =>
  inSpace(async (dir, state) => {
    const app = folderOf(join(dir, 'app'), 'one\n')
    const empty = join(dir, 'empty')
    mkdirSync(empty)
    await assert.rejects(compare(state, empty), { code: 'REPOSITORY_INVALID', message: /holds nothing to deliver/ })
    git(empty, 'init', '--quiet')
    await assert.rejects(compare(state, empty), { code: 'REPOSITORY_INVALID', hint: /commit something/ })
    await importInto(state, app)
    const other = join(dir, 'other')
    cpSync(app, other, { recursive: true })
    await assert.rejects(compare(state, other), {
      code: 'REPOSITORY_INVALID',
      message: 'the state folder delivers the repository "app", not "other"',
    })
  }))

test('a cluster that is not there is refused with those that are', () =>
  inSpace(async (dir) => {
    for (const name of ['a', 'b']) mkdirSync(join(dir, 'app/clusters', name), { recursive: true })
    const inspect = (cluster?: string) => inspectRepository(join(dir, 'app'), { cluster }, NOW)
    assert.equal(inspect('b').deployPath, './clusters/b')
    assert.throws(() => inspect('c'), { message: 'there is no cluster "c"', hint: 'choose one with --cluster a|b' })
    assert.throws(() => inspect(), { hint: 'choose one with --cluster a|b' })
    assert.throws(() => inspectRepository(dir, { cluster: 'c' }, NOW), { hint: /leave --cluster out/ })
  }))

test('what Flux was bootstrapped with is delivered, another folder when it is asked for', () =>
  inSpace(async (dir) => {
    const inspect = (path?: string) => inspectRepository(dir, { path }, NOW).deployPath
    const bootstrap = (folder: string) => {
      mkdirSync(join(dir, folder, 'flux-system'), { recursive: true })
      writeFileSync(join(dir, folder, 'flux-system/gotk-sync.yaml'), '')
    }
    assert.equal(inspect(), './')
    bootstrap('k8s/main')
    assert.equal(inspect(), './k8s/main')
    bootstrap('k8s/test')
    assert.throws(() => inspect(), { hint: 'choose one with --path k8s/main|k8s/test' })
    assert.equal(inspect('k8s/test'), './k8s/test')
    assert.equal(inspect('./k8s/'), './k8s')
    for (const path of ['none', '../x', '/etc']) assert.throws(() => inspect(path), { code: 'REPOSITORY_INVALID' })
  }))

const branches: [refs: string[], want: string][] = [
  [['refs/heads/develop', 'refs/heads/main', 'refs/heads/master'], 'main'],
  [['refs/heads/develop', 'refs/heads/master', 'refs/tags/main'], 'master'],
  [['refs/heads/trunk', 'refs/tags/v1'], 'trunk'],
  [['refs/heads/a', 'refs/heads/b'], 'main'],
]
for (const [refs, want] of branches)
  test(`of ${refs.join(', ')} the branch ${want} is followed`, () => assert.equal(followedBranch(refs), want))
