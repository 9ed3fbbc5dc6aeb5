import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { build } from '../../src/app/cli/build/build.ts'
import { FLUX_DATA, fluxSkip as skip } from '../support/flux-tables.ts'

// `flux build kustomization` on the golden folders of its own tests: the object is read from a file, no cluster is asked.
const named = (text: string): string => text.replaceAll('{{ .fluxns }}', 'apps')
let dir = ''
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-build-ks-'))
  if (skip) return
  cpSync(join(FLUX_DATA, 'flux-build-kustomization'), dir, { recursive: true, mode: 0 })
  const file = 'podinfo-kustomization.yaml'
  writeFileSync(join(dir, 'ks.yaml'), named(readFileSync(join(FLUX_DATA, 'flux-build-kustomization', file), 'utf8')))
})
after(() => rmSync(dir, { recursive: true, force: true }))

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const lines = { out: '', err: '' }
  const io = { env: {}, cwd: dir, isTty: false, signal: new AbortController().signal }
  const say = (to: 'out' | 'err') => (text: string) => void (lines[to] += `${text}\n`)
  try {
    return { code: await build.run(argv, { ...io, out: say('out'), err: say('err') }), ...lines }
  } catch (error) {
    return { code: 3, out: lines.out, err: (error as Error).message }
  }
}
const dry = ['-n', 'apps', '--kustomization-file', 'ks.yaml', '--dry-run']

const rows: { want: string; folder: string; more?: string[] }[] = [
  { want: 'podinfo-result', folder: 'podinfo' },
  { want: 'podinfo-without-service-result', folder: 'delete-service' },
  { want: 'podinfo-with-var-substitution-result', folder: 'var-substitution' },
  { want: 'podinfo-with-ignore-result', folder: 'ignore', more: ['--ignore-paths', '!configmap.yaml,!secret.yaml'] },
  {
    want: 'podinfo-with-my-app-result',
    folder: 'podinfo-with-my-app',
    more: ['--recursive', '--local-sources', 'GitRepository/default/podinfo=.'],
  },
]
for (const { want, folder, more = [] } of rows)
  test(`build kustomization prints ${want} as flux does`, { skip }, async () => {
    const { code, out, err } = await run('ks', 'podinfo', '--path', folder, ...dry, ...more)
    const golden = named(readFileSync(join(FLUX_DATA, 'flux-build-kustomization', `${want}.yaml`), 'utf8'))
    assert.deepEqual({ code, err }, { code: 0, err: '' })
    assert.equal(out.replace(/---\n$/, '').trim(), golden.replace(/---\n$/, '').trim())
  })

test('every golden result of flux build is played', { skip }, () => {
  const results = readdirSync(join(FLUX_DATA, 'flux-build-kustomization')).filter((name) =>
    name.endsWith('-result.yaml'),
  )
  assert.deepEqual(results.sort(), rows.map(({ want }) => `${want}.yaml`).sort())
})

const refused: [argv: string[], code: number, why: RegExp][] = [
  [['ks', 'podinfo', ...dry], 3, /^invalid resource path ""$/],
  [['ks', 'podinfo', '--path', 'nowhere', ...dry], 3, /^invalid resource path "nowhere"$/],
  [['ks', 'podinfo', '--path', 'podinfo', '--dry-run'], 2, /dry-run mode requires a kustomization file/],
  [['ks', '--path', 'podinfo', ...dry], 2, /kustomization name is required/],
  [['ks', 'other', '--path', 'podinfo', ...dry], 3, /failed find kustomization with name 'other' and namespace 'apps'/],
  [['ks', 'a', '--path', '.', '--dry-run', '--kustomization-file', 'none'], 3, /^invalid kustomization file "none"$/],
  [['ks', 'podinfo', '--path', 'podinfo-with-my-app', ...dry, '-r'], 3, /cannot get local path for GitRepository\//],
  [['ks', 'podinfo', '--path', 'podinfo', ...dry, '-r', '--local-sources', 'x=y'], 2, /--local-sources wants/],
]
for (const [argv, code, why] of refused)
  test(`build ${argv.join(' ')} is refused`, { skip }, async () => {
    const answer = await run(...argv)
    assert.deepEqual([answer.code, answer.out], [code, ''])
    assert.match(answer.err, why)
  })

test('a variable that nobody gives: empty, or with --strict-substitute an error', { skip }, async () => {
  cpSync(join(dir, 'ks.yaml'), join(dir, 'vars/ks.yaml'), { mode: 0 })
  writeFileSync(
    join(dir, 'vars/a.yaml'),
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: "x${none}"}\n',
  )
  rmSync(join(dir, 'vars/ks.yaml'))
  assert.match((await run('ks', 'podinfo', '--path', 'vars', ...dry)).out, /k: x\n/)
  assert.match((await run('ks', 'podinfo', '--path', 'vars', ...dry, '--strict-substitute')).err, /none/)
})

test('a folder of that name is still a folder', { skip }, async () => {
  assert.match((await run('ks')).err, /ks/)
})
