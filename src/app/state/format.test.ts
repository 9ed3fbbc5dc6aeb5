import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createGitToken, revokeGitToken } from './git-tokens.ts'
import { holdStateFolder } from './hold-state-folder.ts'
import { markFormat, openStateFolder } from './format.ts'

const inFolder = (body: (root: string) => void): void => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-format-'))
  try {
    body(join(dir, 'state'))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const keeping = (text: string, body: (root: string) => void): void =>
  inFolder((root) => {
    mkdirSync(root)
    writeFileSync(join(root, 'format.json'), text)
    body(root)
  })

const formatIn = (root: string): unknown => JSON.parse(readFileSync(join(root, 'format.json'), 'utf8'))

/** All that writes into a state folder, each as its command does. */
const writers: Record<string, (root: string) => void> = {
  'up and serve': (root) => holdStateFolder(root).release(),
  engine: (root) => holdStateFolder(root, 'engine').release(),
  node: (root) => void openStateFolder(root, join('node', 'one')),
  'token create': (root) => void createGitToken(root, 'ann', '2026-01-01T00:00:00Z'),
  'token revoke': (root) => revokeGitToken(root, 'ann'),
}

for (const [name, write] of Object.entries(writers))
  for (const [kept, code] of [
    ['{"format":3,"more":"than is known"}', 'STATE_NEWER'],
    ['{"for', 'STATE_UNREADABLE'],
  ] as const)
    test(`${name}: a folder with ${kept} is refused and stays as it is`, () =>
      keeping(kept, (root) => {
        assert.throws(() => write(root), { code, where: join(root, 'format.json'), hint: /^nothing was touched; / })
        assert.deepEqual(readdirSync(root), ['format.json'])
        assert.equal(readFileSync(join(root, 'format.json'), 'utf8'), kept)
      }))

for (const kept of ['', 'null', '1', '{}', '{"format":0}', '{"format":1.5}', '{"format":"1"}'])
  test(`a format that says ${kept || 'nothing'} is damaged`, () =>
    keeping(kept, (root) => assert.throws(() => markFormat(root), { code: 'STATE_UNREADABLE', message: /is damaged/ })))

test('a format that is no file is told with the words of the system', () =>
  inFolder((root) => {
    mkdirSync(join(root, 'format.json'), { recursive: true })
    assert.throws(() => markFormat(root), { code: 'STATE_UNREADABLE', message: /EISDIR/ })
  }))

test('a new folder, and one of before there were numbers, get theirs from who takes them', () =>
  inFolder((root) => {
    holdStateFolder(root).release()
    assert.deepEqual(formatIn(root), { format: 2 })
    rmSync(join(root, 'format.json'))
    writeFileSync(join(root, 'ports.json'), '{"git":1}')
    const folder = holdStateFolder(root)
    assert.deepEqual(folder.read('ports.json'), { git: 1 })
    folder.release()
    assert.deepEqual(formatIn(root), { format: 2 })
    assert.deepEqual(readdirSync(root).sort(), ['.gitignore', 'format.json', 'lock.db', 'ports.json'])
  }))

test('a folder of a lower number gets the higher one from who takes it, and keeps it as long as it is in use', () =>
  keeping('{"format":1}', (root) => {
    createGitToken(root, 'ann', '2026-01-01T00:00:00Z')
    assert.deepEqual(formatIn(root), { format: 1 })
    const first = holdStateFolder(root)
    assert.deepEqual(formatIn(root), { format: 2 })
    writeFileSync(join(root, 'format.json'), '{"format":1}')
    assert.throws(() => holdStateFolder(root), { code: 'STATE_IN_USE' })
    assert.deepEqual(formatIn(root), { format: 1 })
    first.release()
  }))

test('a folder in use is left as it is', () =>
  inFolder((root) => {
    const first = holdStateFolder(root)
    rmSync(join(root, 'format.json'))
    assert.throws(() => holdStateFolder(root), { code: 'STATE_IN_USE' })
    assert.ok(!existsSync(join(root, 'format.json')))
    first.release()
  }))

test('the number stands in the folder that --state names, for a part of it, too, and out of Git', () =>
  inFolder((root) => {
    const engine = holdStateFolder(root, 'engine')
    assert.equal(engine.dir, join(root, 'engine'))
    engine.release()
    assert.deepEqual(readdirSync(root).sort(), ['.gitignore', 'engine', 'format.json'])
    assert.ok(!existsSync(join(root, 'engine', 'format.json')))
  }))
