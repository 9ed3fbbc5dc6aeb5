// `sluice build` as a process: its texts and exit codes beside those of the real kustomize, --batch, --watch.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'

const bundle = resolve('dist/sluice.mjs')
const kustomize =
  process.env['KUSTOMIZE'] ?? join(process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers'), 'kustomize')
const root = mkdtempSync(join(tmpdir(), 'sluice-build-'))
after(() => rmSync(root, { recursive: true, force: true }))

const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`
for (const folder of ['ok', 'empty', 'out', 'wrong']) mkdirSync(join(root, folder))
writeFileSync(join(root, 'ok/kustomization.yaml'), 'resources: [a.yaml]\nnamePrefix: x-\ncommonLabels: {a: b}\n')
writeFileSync(join(root, 'ok/a.yaml'), `${configMap('a')}---\n${configMap('b')}`)
writeFileSync(join(root, 'wrong/kustomization.yaml'), 'resources: [missing.yaml]\n')

type Ran = { readonly code: number | null; readonly out: string; readonly err: string; readonly files: string[][] }

function run(command: readonly string[], argv: readonly string[]): Ran {
  const [program = '', ...rest] = command
  const { status, stdout, stderr } = spawnSync(program, [...rest, 'build', ...argv], { cwd: root, encoding: 'utf8' })
  const err = stderr.replace(/^ {2}(where|hint): .*\n/gm, '')
  const files = readdirSync(join(root, 'out')).map((name) => [name, readFileSync(join(root, 'out', name), 'utf8')])
  for (const [name = ''] of files) rmSync(join(root, 'out', name))
  return { code: status, out: stdout, err, files }
}

const lines: readonly string[][] = [
  ['ok'],
  ['ok/'],
  ['./empty/../ok', '--reorder', 'none'],
  [''],
  ['empty'],
  ['wrong'],
  ['nope/deeper'],
  ['ok/a.yaml'],
  ['ok', 'empty'],
  ['ok', '-o', 'out'],
  ['ok', '-oout/all.yaml'],
  ['ok', '-o', 'nope/all.yaml'],
  ['ok', '-o', 'empty/'],
  ['ok', '--reorder', 'foo'],
  ['ok', '--enable-managedby-label'],
  ['ok', '--enable-helm', '--helm-command', 'x', '--enable-alpha-plugins', '--network', '-e', 'A=b', '--mount', 'x'],
  ['--nonsense'],
]
for (const argv of lines)
  test(`build ${argv.join(' ')} answers as kustomize`, { skip: !existsSync(kustomize) && 'no kustomize' }, () => {
    assert.deepEqual(run([process.execPath, bundle], argv), run([kustomize], argv))
  })

test('batch answers every line, in order, and survives what cannot be built', () => {
  const dirs = [
    'ok',
    'nope',
    'wrong',
    'a\0b',
    'x'.repeat(10_000),
    '/dev/null',
    'empty',
    ...Array<string>(30).fill('ok'),
  ]
  const { stdout, status } = spawnSync(process.execPath, [bundle, 'build', '--batch'], {
    cwd: root,
    input: `${dirs.join('\n')}\n\n`,
    encoding: 'utf8',
  })
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { dir: string; ok: boolean; yaml?: string; error?: string; ms: number })
  assert.equal(status, 0)
  assert.deepEqual(
    answers.map(({ dir, ok }) => [dir, ok]),
    dirs.map((dir) => [dir, dir === 'ok']),
  )
  for (const { ok, yaml, error, ms } of answers) {
    assert.equal(typeof ms, 'number')
    if (ok) assert.equal(yaml, answers[0]?.yaml)
    else assert.doesNotMatch(error ?? '', /internal error/)
  }
})

test('watch builds again when a file changes, appears where it was looked for, or goes', async () => {
  const dir = join(root, 'watched')
  mkdirSync(dir)
  const file = join(dir, 'kustomization.yaml')
  writeFileSync(file, 'resources: [a.yaml]\n')
  const child = spawn(process.execPath, [bundle, 'build', '--watch', dir], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let notify = (): void => {}
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      out += text
      notify()
    })
  const shows = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(out)) await new Promise<void>((done) => (notify = done))
    out = ''
  }
  await shows(/a\.yaml: no such file or directory/)
  writeFileSync(join(dir, 'a.yaml'), configMap('first'))
  await shows(/^apiVersion: v1\nkind: ConfigMap\nmetadata:\n {2}name: first\n\.\.\.\n$/m)
  writeFileSync(join(dir, 'a.yaml'), configMap('second'))
  await shows(/name: second\n\.\.\.\n/)
  writeFileSync(file, 'resources: [a.yaml]\nnamePrefix: x-\n')
  await shows(/name: x-second\n\.\.\.\n/)
  rmSync(dir, { recursive: true })
  await shows(/Error: /)
  child.kill('SIGTERM')
  assert.equal(await new Promise((done) => child.on('close', done)), 0)
})

test('the bundled command comes with compiled code that fits, and works without', async () => {
  const scripts = readdirSync('dist/chunks').filter((name) => name.startsWith('build-') && name.endsWith('.cjs'))
  const { script } = await import(pathToFileURL(resolve('dist/sluice-build.cjs')).href)
  assert.equal(script.cachedDataRejected, false)
  const bare = join(root, 'bare')
  mkdirSync(join(bare, 'chunks'), { recursive: true })
  copyFileSync('dist/sluice-build.cjs', join(bare, 'sluice-build.cjs'))
  for (const name of scripts) copyFileSync(join('dist/chunks', name), join(bare, 'chunks', name))
  const { script: compiled } = await import(pathToFileURL(join(bare, 'sluice-build.cjs')).href)
  assert.equal(compiled.cachedDataRejected, undefined)
})

test('a build by the launcher does not read extra certificates; its children do', () => {
  const helm = join(root, 'helm')
  writeFileSync(helm, '#!/bin/sh\necho "certificates: $NODE_EXTRA_CA_CERTS" >&2\nexit 1\n', { mode: 0o755 })
  mkdirSync(join(root, 'chart/charts/c'), { recursive: true })
  writeFileSync(join(root, 'chart/charts/c/Chart.yaml'), 'apiVersion: v2\nname: c\nversion: 1.0.0\n')
  writeFileSync(join(root, 'chart/charts/c/values.yaml'), '{}\n')
  writeFileSync(join(root, 'chart/kustomization.yaml'), 'helmCharts: [{name: c}]\n')
  const argv = ['build', '--enable-helm', '--helm-command', helm, 'chart']
  const missing = join(root, 'no.pem')
  const { stderr } = spawnSync(bundle, argv, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NODE_EXTRA_CA_CERTS: missing },
  })
  assert.match(stderr, new RegExp(`certificates: ${missing}`))
  assert.doesNotMatch(stderr, /Warning/)
})
