// A file, a folder and a link below the root turn into links to a place outside and back while builds run: what lies outside is never told,
// and a build either gives what lies inside or fails in words. Once with a seeded turn before each look (every order of look, turn and
// read that a build can meet), once with a thread that turns as fast as it can (what can happen within a look).
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { diskTree } from '../../src/adapters/files/disk-tree.ts'
import { buildFolder, type Outcome } from '../../src/app/cli/build/build-folder.ts'
import type { BuildOptions } from '../../src/lib/kustomize/build.ts'
import type { FileTree } from '../../src/lib/kustomize/files/tree.ts'
import { randomOf } from './generate-tree.ts'

const SECRET = 'do-not-tell'
const base = mkdtempSync(join(tmpdir(), 'sluice-race-'))
after(() => rmSync(base, { recursive: true, force: true }))

const configMap = (name: string, text: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {text: ${text}}\n`

/** A folder `k` to build and a folder `outside` beside it; what is turned is `k/h.yaml`, `k/h.txt`, `k/in`, `k/l.yaml` and `k/top/base`. */
function makeTree(name: string): string {
  const root = join(base, name)
  for (const [folder, text] of [
    ['k/in', 'inside'],
    ['k/top/base', 'inside'],
    ['outside', SECRET],
  ] as const) {
    mkdirSync(join(root, folder), { recursive: true })
    writeFileSync(join(root, folder, 'a.yaml'), configMap('a', text))
    writeFileSync(join(root, folder, 'kustomization.yaml'), 'resources: [a.yaml]\n')
  }
  writeFileSync(join(root, 'outside/h.yaml'), configMap('h', SECRET))
  writeFileSync(join(root, 'outside/h.txt'), `${SECRET}: [`)
  writeFileSync(join(root, 'k/h.yaml'), configMap('h', 'inside'))
  writeFileSync(join(root, 'k/h.txt'), 'inside')
  writeFileSync(join(root, 'k/l-inside.yaml'), configMap('l', 'inside'))
  symlinkSync('l-inside.yaml', join(root, 'k/l.yaml'))
  writeFileSync(
    join(root, 'k/kustomization.yaml'),
    'resources: [h.yaml, in/a.yaml, l.yaml]\nconfigMapGenerator:\n- {name: g, files: [h.txt, in/a.yaml]}\n',
  )
  writeFileSync(join(root, 'k/top/kustomization.yaml'), 'resources: [base]\n')
  return root
}

/** What a build may be asked for: files of a folder, the same with nothing but the jail to hold them, and a base. */
const builds = (root: string): readonly (readonly [string, BuildOptions])[] => [
  [join(root, 'k'), {}],
  [join(root, 'k'), { jail: join(root, 'k'), loadRestrictions: 'none' }],
  [join(root, 'k/top'), { jail: join(root, 'k') }],
]

function check(root: string, outcome: Outcome, want: string): 'built' | 'failed' {
  assert.ok(!JSON.stringify(outcome).includes(SECRET), JSON.stringify(outcome).replaceAll(root, ''))
  if ('error' in outcome) {
    assert.ok(outcome.error.length > 0)
    return 'failed'
  }
  assert.equal(outcome.yaml, want)
  return 'built'
}

/** The texts of the builds of a tree while it stands still. */
function calm(root: string): readonly string[] {
  return builds(root).map(([dir, options]) => {
    const outcome = buildFolder(diskTree(), root, dir, options)
    assert.ok(!('error' in outcome), JSON.stringify(outcome))
    assert.ok(outcome.yaml.includes('inside'))
    return outcome.yaml
  })
}

/** Turns one path below the root over: the real one is put aside, or put back. `isOut` is the state that is wanted. */
function turn(root: string, path: string, isOut: boolean): void {
  const [at, aside] = [join(root, path), join(root, `aside-${path.replaceAll('/', '-')}`)]
  if (!isOut) {
    unlinkSync(at)
    renameSync(aside, at)
    return
  }
  renameSync(at, aside)
  symlinkSync(join(root, OUTSIDE[path] ?? ''), at)
}

const OUTSIDE: Readonly<Record<string, string>> = {
  'k/h.yaml': 'outside/h.yaml',
  'k/h.txt': 'outside/h.txt',
  'k/in': 'outside',
  'k/l.yaml': 'outside/h.yaml',
  'k/top/base': 'outside',
}

test('links that turn between any two looks of a build lead nowhere', () => {
  const root = makeTree('seeded')
  const want = calm(root)
  const random = randomOf(20261126)
  const isOut = new Map(Object.keys(OUTSIDE).map((path) => [path, false]))
  const maybeTurn = (): void => {
    if (!random.chance(0.08)) return
    const path = random.pick([...isOut.keys()])
    isOut.set(path, !isOut.get(path))
    turn(root, path, isOut.get(path) === true)
  }
  const outcomes = { built: 0, failed: 0 }
  for (let round = 0; round < 900; round++) {
    for (const [path, out] of isOut) if (out) turn(root, path, false)
    for (const path of isOut.keys()) isOut.set(path, false)
    const index = round % want.length
    const [dir, options] = builds(root)[index] ?? ['', {}]
    outcomes[check(root, buildFolder(turning(maybeTurn), root, dir, options), want[index] ?? '')]++
  }
  assert.ok(outcomes.built > 100 && outcomes.failed > 100, JSON.stringify(outcomes))
})

/** The disk, with something done before each look. */
function turning(before: () => void): FileTree {
  const tree = diskTree()
  return {
    stat: (path) => (before(), tree.stat(path)),
    readFile: (path) => (before(), tree.readFile(path)),
    readDir: (path) => (before(), tree.readDir(path)),
  }
}

/** Runs in a thread until it is ended: files and links are replaced at one blow, folders are put aside. */
const FLIPPER = `
const { parentPort, workerData: { root, outside } } = require('node:worker_threads')
const { renameSync, symlinkSync, unlinkSync, linkSync } = require('node:fs')
const { join } = require('node:path')
const of = (path) => join(root, path)
for (const path of ['k/h.yaml', 'k/h.txt']) linkSync(of(path), of(path) + '.kept')
const swap = (make, path) => { make(of('next')); renameSync(of('next'), of(path)) }
parentPort.postMessage('turning')
for (;;) {
  for (const path of ['k/in', 'k/top/base']) { renameSync(of(path), of('aside')); symlinkSync(of(outside[path]), of(path)); unlinkSync(of(path)); renameSync(of('aside'), of(path)) }
  for (const path of ['k/h.yaml', 'k/h.txt', 'k/l.yaml']) swap((next) => symlinkSync(of(outside[path]), next), path)
  for (const path of ['k/h.yaml', 'k/h.txt']) swap((next) => linkSync(of(path) + '.kept', next), path)
  swap((next) => symlinkSync('l-inside.yaml', next), 'k/l.yaml')
}
`

test('links that turn as fast as a thread can turn them lead nowhere', async () => {
  const root = makeTree('threaded')
  const want = calm(root)
  const flipper = new Worker(FLIPPER, { eval: true, workerData: { root, outside: OUTSIDE } })
  const errors: unknown[] = []
  flipper.on('error', (error) => errors.push(error))
  try {
    await new Promise((done) => flipper.once('message', done).once('exit', done))
    for (let round = 0; round < 900; round++) {
      const index = round % want.length
      const [dir, options] = builds(root)[index] ?? ['', {}]
      check(root, buildFolder(diskTree(), root, dir, options), want[index] ?? '')
    }
  } finally {
    await flipper.terminate()
  }
  assert.deepEqual(errors, [], 'the thread must not stop by itself')
})
