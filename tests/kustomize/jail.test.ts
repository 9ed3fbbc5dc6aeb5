// Hostile trees against `sluice build --batch`, as a process with little memory: each is answered in time with an error that says where, and
// the harmless one behind it is built. A seeded share of random ones; SLUICE_JAIL_TREES and SLUICE_SEED for more and others.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { hostileFiles } from './hostile-files.ts'

const bundle = resolve('dist/sluice.mjs')
const root = mkdtempSync(join(tmpdir(), 'sluice-jail-'))
after(() => rmSync(root, { recursive: true, force: true }))

const SECRET = 'do-not-tell'
writeFileSync(join(root, 'secret.yaml'), `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${SECRET}\n`)
mkdirSync(join(root, 'good'))
writeFileSync(join(root, 'good/kustomization.yaml'), 'resources: [a.yaml]\n')
writeFileSync(join(root, 'good/a.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: good\n')

type Answer = {
  readonly dir: string
  readonly ok: boolean
  readonly yaml?: string
  readonly error?: string
  readonly where?: string
  readonly ms: number
}

/** Builds folders in a process whose own heap is small; the good one is built behind each. */
function batch(dirs: readonly string[]): Answer[] {
  const { stdout, status } = spawnSync(process.execPath, ['--max-old-space-size=200', bundle, 'build', '--batch'], {
    cwd: root,
    input: dirs.flatMap((dir) => [dir, 'good']).join('\n'),
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  assert.equal(status, 0)
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer)
  assert.equal(answers.length, dirs.length * 2)
  for (const [index, answer] of answers.entries()) if (index % 2 === 1) assert.ok(answer.ok, answer.error)
  return answers.filter((_, index) => index % 2 === 0)
}

/** A folder whose kustomization lists `h.yaml`, which `make` puts there. */
function folder(name: string, make: (dir: string) => void): string {
  const dir = join(root, name)
  mkdirSync(dir)
  writeFileSync(join(dir, 'kustomization.yaml'), 'resources: [h.yaml]\n')
  make(dir)
  return name
}

test('what is no file, or leads out, is refused in time and tells nothing', async () => {
  const socket = createServer()
  await new Promise<void>((done) => socket.listen(join(root, 'socket'), done))
  const dirs = [
    folder('pipe', (dir) => execFileSync('mkfifo', [join(dir, 'h.yaml')])),
    folder('device', (dir) => symlinkSync('/dev/zero', join(dir, 'h.yaml'))),
    folder('socket-link', (dir) => symlinkSync('../socket', join(dir, 'h.yaml'))),
    folder('sparse', (dir) => {
      writeFileSync(join(dir, 'h.yaml'), '')
      truncateSync(join(dir, 'h.yaml'), 10 * 1024 ** 3)
    }),
    folder('zeroes', (dir) => {
      writeFileSync(join(dir, 'h.yaml'), '')
      truncateSync(join(dir, 'h.yaml'), 60 * 1024 ** 2)
    }),
    folder('link', (dir) => symlinkSync('../secret.yaml', join(dir, 'h.yaml'))),
    folder('chain', (dir) => {
      symlinkSync('i', join(dir, 'h.yaml'))
      symlinkSync('../secret.yaml', join(dir, 'i'))
    }),
    folder('loop', (dir) => symlinkSync('h.yaml', join(dir, 'h.yaml'))),
    folder('absolute', (dir) => symlinkSync(join(root, 'secret.yaml'), join(dir, 'h.yaml'))),
    folder('dots', (dir) => writeFileSync(join(dir, 'kustomization.yaml'), 'resources: [../dots/../secret.yaml]\n')),
    folder('cycle', (dir) => writeFileSync(join(dir, 'kustomization.yaml'), 'resources: [../cycle]\n')),
    folder('deep', (dir) => {
      const parts = Array<string>(1500).fill('d')
      writeFileSync(join(dir, 'kustomization.yaml'), `resources: [${parts.join('/')}]\n`)
    }),
    folder('doubling', (dir) => {
      for (let level = 0; level < 30; level++) {
        const next = level === 29 ? 'none' : `../l${level + 1}`
        for (const side of ['l', 'm']) {
          mkdirSync(join(dir, `${side}${level}`))
          const bases = next === 'none' ? '' : `resources: [${next}, ${next.replace('l', 'm')}]\n`
          writeFileSync(join(dir, `${side}${level}`, 'kustomization.yaml'), `${bases}namePrefix: a\n`)
        }
      }
      writeFileSync(join(dir, 'kustomization.yaml'), 'resources: [l0, m0]\n')
    }),
  ]
  for (const { dir, ok, error = '', yaml, ms } of batch(dirs)) {
    assert.equal(ok, false, `${dir}: ${yaml?.slice(0, 200)}`)
    assert.doesNotMatch(error, /internal error/, dir)
    assert.ok(!error.includes(SECRET), dir)
    assert.ok(ms < 60_000, `${dir}: ${ms} ms`)
  }
  socket.close()
})

test('bombs end in an error that names file and line, or in their answer', () => {
  const dirs = [...hostileFiles()].map(([name, text]) =>
    folder(`bomb-${name}`, (dir) => writeFileSync(join(dir, 'h.yaml'), text)),
  )
  for (const { dir, ok, error = '', where = '', ms } of batch(dirs)) {
    assert.doesNotMatch(error, /internal error/, dir)
    assert.ok(ms < 60_000, `${dir}: ${ms} ms`)
    if (!ok && !error.includes('MiB')) assert.match(error + where, /h\.yaml/, `${dir}: ${error.slice(0, 300)}`)
  }
})

const count = Number(process.env['SLUICE_JAIL_TREES'] ?? 30)
const seed = Number(process.env['SLUICE_SEED'] ?? 20261126)

test(`${count} random trees with such things (seed ${seed}) are answered, and tell nothing`, () => {
  const random = randomOf(seed)
  const dirs = Array.from({ length: count }, (_, tree) => randomTree(`random-${tree}`, random))
  for (const { dir, error = '', yaml = '', ms } of batch(dirs)) {
    assert.doesNotMatch(error, /internal error/, dir)
    assert.ok(!`${error}${yaml}`.includes(SECRET), dir)
    assert.ok(ms < 60_000, `${dir}: ${ms} ms`)
  }
})

const bombs = [...hostileFiles()].filter(([, text]) => text.length < 500_000)

/** Folders that name each other, hostile files, links, pipes and what is not there, in every field that reads a path. */
function randomTree(name: string, random: (limit: number) => number): string {
  const pick = <T>(list: readonly T[]): T => {
    const found = list[random(list.length)]
    assert.ok(found !== undefined)
    return found
  }
  const folders = ['.', 'a', 'b', 'c', 'a/d']
  const paths = [
    'a.yaml',
    'h.yaml',
    'l',
    'l/a.yaml',
    'p',
    '../a',
    '../b',
    'd',
    'a',
    '../../secret.yaml',
    '../secret.yaml',
  ]
  paths.push(
    '/dev/zero',
    '/proc/self/environ',
    join(root, 'secret.yaml'),
    'm',
    '',
    '.',
    '..',
    'a\\0b',
    'x'.repeat(5000),
  )
  const fields = [
    'resources',
    'components',
    'bases',
    'transformers',
    'generators',
    'configurations',
    'crds',
    'patchesStrategicMerge',
  ]
  for (const folder of folders) {
    const dir = join(root, name, folder)
    mkdirSync(dir, { recursive: true })
    const lists = Array.from({ length: 1 + random(3) }, () => {
      const field = pick(fields)
      return `${field}: [${Array.from({ length: 1 + random(3) }, () => JSON.stringify(pick(paths))).join(', ')}]\n`
    })
    const generated = `configMapGenerator:\n- name: g\n  files: [k=${JSON.stringify(pick(paths)).slice(1, -1)}]\n`
    writeFileSync(join(dir, 'kustomization.yaml'), [...lists, random(3) === 0 ? generated : ''].join(''))
    writeFileSync(join(dir, 'a.yaml'), `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a${random(1000)}\n`)
    writeFileSync(join(dir, 'h.yaml'), pick(bombs)[1])
    symlinkSync(pick(['..', '../..', 'a.yaml', 'l', '/', 'h.yaml', '../a', '../../secret.yaml']), join(dir, 'l'))
    symlinkSync(pick(['p', '/dev/zero', '/proc/self/fd', 'l', '../b/l', join(root, 'secret.yaml')]), join(dir, 'm'))
    execFileSync('mkfifo', [join(dir, 'p')])
  }
  return name
}

function randomOf(start: number): (limit: number) => number {
  let state = start >>> 0
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}
