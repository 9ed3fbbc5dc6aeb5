import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, test } from 'node:test'
import { diskRemote } from '../../src/adapters/kustomize/remote.ts'
import { SluiceError } from '../../src/lib/error/sluice-error.ts'
import { build, renderBuild } from '../../src/lib/kustomize/build.ts'
import { treeOfFiles, type FileTree } from '../../src/lib/kustomize/files/tree.ts'

/** Cases that do not pass, each with its reason; docs/compat/kustomize.md is made from them by UPDATE=1. */
const SKIPPED: Readonly<Record<string, string>> = {}

type Expectation = { readonly contains?: string; readonly equals?: string; readonly regexp?: string }
type Fixture = {
  readonly id: string
  readonly path: string
  readonly compare?: 'exact' | 'trim'
  readonly errors?: readonly Expectation[]
  readonly options: { readonly reorder: string; readonly loadRestrictor: string; readonly managedByLabel: boolean }
}

const cache = mkdtempSync(join(tmpdir(), 'sluice-conformance-'))
after(() => rmSync(cache, { recursive: true, force: true }))
const remote = diskRemote(cache)

const root = join(process.env['SLUICE_CONFORMANCE'] ?? '../shared/conformance', 'kustomize')
const folders = existsSync(root) ? casesBelow(root) : []
const absent = folders.length === 0 ? `no conformance data at ${root} (SLUICE_CONFORMANCE)` : false

test('kustomize: the conformance data is there', { skip: absent }, () => assert.ok(folders.length >= 300))

for (const folder of folders) {
  const fixture = parseFixture(readFileSync(join(folder, 'fixture.json'), 'utf8'))
  const skip = process.env['ALL'] ? false : (SKIPPED[fixture.id] ?? false)
  test(`kustomize ${fixture.id}`, { skip }, () => check(folder, fixture))
}

test('kustomize: docs/compat/kustomize.md lists what is skipped', { skip: absent }, () => {
  const page = compatPage()
  if (process.env['UPDATE']) writeFileSync('docs/compat/kustomize.md', page)
  assert.equal(readFileSync('docs/compat/kustomize.md', 'utf8'), page, 'UPDATE=1 rewrites it')
})

function casesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name === 'fixture.json')
    .map((entry) => entry.parentPath)
    .sort()
}

function parseFixture(text: string): Fixture {
  return JSON.parse(text) as Fixture
}

function readTree(folder: string, mount: string): FileTree {
  const files = new Map<string, Uint8Array>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) files.set(`${mount}/${relative(folder, path)}`, readFileSync(path))
  }
  return treeOfFiles(files)
}

function check(folder: string, fixture: Fixture): void {
  // some expected messages name the folder that kustomize's own test ran in
  const mount = JSON.stringify(fixture.errors ?? []).includes('kust-testing-root') ? '/kust-testing-root' : ''
  const tree = readTree(join(folder, 'input'), mount)
  const dir = join('/', mount, fixture.path)
  const run = (origin = false): string =>
    renderBuild(
      build(tree, dir, {
        origin,
        reorder: fixture.options.reorder === 'none' ? 'none' : 'legacy',
        loadRestrictions: fixture.options.loadRestrictor === 'RootOnly' ? 'rootOnly' : 'none',
        managedByLabel: fixture.options.managedByLabel,
        remote,
      }),
    )
  if (fixture.errors) return checkError(run, fixture.errors)
  const want = readFileSync(join(folder, 'expected.yaml'), 'utf8').replaceAll(
    /kustomize-(v\d\.\d\.\d|\(test\))/g,
    'kustomize-v5.8.1',
  )
  if (fixture.compare === 'trim') assert.equal(run().trim(), want.trim())
  else assert.equal(run(), want)
  assert.equal(run(true), run(), 'keeping origins changes nothing')
}

function checkError(run: () => string, expectations: readonly Expectation[]): void {
  assert.throws(
    () => run(),
    (error: unknown) => {
      assert.ok(error instanceof SluiceError, String(error instanceof Error ? error.stack : error))
      for (const { contains, equals, regexp } of expectations) {
        if (contains !== undefined)
          assert.ok(error.message.includes(contains), `want …${contains}…, got ${error.message}`)
        if (equals !== undefined) assert.equal(error.message, equals)
        if (regexp !== undefined) assert.match(error.message, new RegExp(regexp))
      }
      return true
    },
  )
}

function compatPage(): string {
  const skipped = Object.entries(SKIPPED)
  const rows = skipped.map(([id, reason]) => `| ${id} | ${reason} |`)
  return [
    '# kustomize',
    '',
    'Made by `UPDATE=1 npm test -- --match conformance-kustomize`.',
    '',
    `Of ${folders.length} cases of kustomize's own tests ${folders.length - skipped.length} give the same bytes or the same error as kustomize 5.8.1.`,
    '',
    ...(rows.length > 0 ? ['| case | why it differs |', '| --- | --- |', ...rows, ''] : []),
  ].join('\n')
}
