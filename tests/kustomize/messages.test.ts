// What kustomize 5.8.1 says of small kustomizations that it refuses: of each, our first lines are its text. It wrote `want` itself;
// ROOT stands for the folder around them, bytes are written as Latin-1.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { diskTree } from '../../src/adapters/files/disk-tree.ts'
import { SluiceError } from '../../src/lib/error/sluice-error.ts'
import { build } from '../../src/lib/kustomize/build.ts'

type Case = {
  readonly name: string
  /** Built with `--load-restrictor LoadRestrictionsNone`. */
  readonly none?: boolean
  readonly files: Readonly<Record<string, string>>
  readonly links?: Readonly<Record<string, string>>
  readonly dirs?: readonly string[]
  readonly want: string
}

const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n'
/** What the cases name outside of themselves. */
const AROUND = {
  'b/kustomization.yaml': 'resources: [cm.yaml]\n',
  'b/cm.yaml': MAP,
  'cm.yaml': MAP,
  'outside.yaml': MAP,
}
const LINKS = { dangling: 'nowhere', dd: 'dangling', loop1: 'loop2', loop2: 'loop1', linkb: 'b' }

const root = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-messages-')))
after(() => rmSync(root, { recursive: true, force: true }))
lay(root, AROUND, LINKS, ['e'])

const cases = JSON.parse(readFileSync('tests/fixtures/kustomize-messages/cases.json', 'utf8')) as Case[]
for (const { name, none, files, links = {}, dirs = [], want } of cases)
  test(`kustomize: of ${name}${none ? ', unrestricted,' : ''} the message is the original's`, () => {
    const dir = join(root, 't', name)
    lay(dir, files, links, dirs)
    const expected = want.trim().replaceAll('ROOT', root)
    const message = messageOf(dir, none === true)
    assert.ok(message === expected || message.startsWith(`${expected}\n`), `${message}\nis not\n${expected}`)
  })

function messageOf(dir: string, isFree: boolean): string {
  try {
    build(diskTree(), dir, { loadRestrictions: isFree ? 'none' : 'rootOnly' })
  } catch (error) {
    if (error instanceof SluiceError) return error.message.trim()
    throw error
  }
  return 'nothing is wrong'
}

function lay(
  dir: string,
  files: Readonly<Record<string, string>>,
  links: Readonly<Record<string, string>>,
  dirs: readonly string[],
): void {
  rmSync(join(dir), { recursive: true, force: true })
  for (const folder of ['.', ...dirs]) mkdirSync(join(dir, folder), { recursive: true })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), Buffer.from(text.replaceAll('ROOT', root), 'latin1'))
  }
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(dir, path))
}
