import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { build, renderBuild, type BuildOptions } from '../../lib/kustomize/build.ts'
import { diskTree } from './disk-tree.ts'

const root = mkdtempSync(join(tmpdir(), 'sluice-files-'))
after(() => rmSync(root, { recursive: true, force: true }))

const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n'
let count = 0

/** A folder with a kustomization that lists `resource`, beside a folder `outside`. */
function folder(resource: string): string {
  const dir = join(root, String(count++))
  mkdirSync(join(dir, 'k'), { recursive: true })
  mkdirSync(join(dir, 'outside'))
  writeFileSync(join(dir, 'outside', 'a.yaml'), configMap)
  writeFileSync(join(dir, 'k', 'kustomization.yaml'), `resources: ['${resource}']\n`)
  return dir
}

function buildIn(dir: string, options: BuildOptions = {}): string {
  return renderBuild(build(diskTree(), join(dir, 'k'), options))
}

function refuses(run: () => unknown): void {
  assert.throws(run, (error: unknown) => error instanceof SluiceError && error.code === 'KUSTOMIZE_PATH')
}

test('a file below the kustomization is built, one beside it is not', () => {
  const dir = folder('a.yaml')
  writeFileSync(join(dir, 'k', 'a.yaml'), configMap)
  assert.equal(buildIn(dir), 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n')
  refuses(() => buildIn(folder('../outside/a.yaml')))
  assert.ok(buildIn(folder('../outside/a.yaml'), { loadRestrictions: 'none' }))
})

const links: { it: string; make: (dir: string) => void; name: string }[] = [
  {
    it: 'a link to a file outside',
    name: 'l.yaml',
    make: (dir) => symlinkSync('../outside/a.yaml', join(dir, 'k', 'l.yaml')),
  },
  { it: 'a link to a folder outside', name: 'l/a.yaml', make: (dir) => symlinkSync('../outside', join(dir, 'k', 'l')) },
  {
    it: 'an absolute link',
    name: 'l.yaml',
    make: (dir) => symlinkSync(join(dir, 'outside', 'a.yaml'), join(dir, 'k', 'l.yaml')),
  },
  { it: 'a link to itself', name: 'l.yaml', make: (dir) => symlinkSync('l.yaml', join(dir, 'k', 'l.yaml')) },
  {
    it: 'a chain of links outside',
    name: 'l.yaml',
    make: (dir) => {
      symlinkSync('m', join(dir, 'k', 'l.yaml'))
      symlinkSync('../outside/a.yaml', join(dir, 'k', 'm'))
    },
  },
]
for (const { it, make, name } of links)
  test(`${it} is refused, inside a jail even without restrictions`, () => {
    const dir = folder(name)
    make(dir)
    refuses(() => buildIn(dir))
    refuses(() => buildIn(dir, { loadRestrictions: 'none', jail: join(dir, 'k') }))
  })

test('pipes, devices and huge files are refused at once', () => {
  const pipe = folder('p')
  execFileSync('mkfifo', [join(pipe, 'k', 'p')])
  refuses(() => buildIn(pipe))
  const device = folder('/dev/zero')
  refuses(() => buildIn(device, { loadRestrictions: 'none' }))
  const huge = folder('h.yaml')
  writeFileSync(join(huge, 'k', 'h.yaml'), '')
  truncateSync(join(huge, 'k', 'h.yaml'), 10 * 1024 ** 3)
  refuses(() => buildIn(huge))
})

test('a base above itself is a cycle', () => {
  assert.throws(() => buildIn(folder('../k')), /cycle detected/)
})

test('a folder that becomes a link between look and read is no way out', () => {
  const dir = folder('in/a.yaml')
  mkdirSync(join(dir, 'k', 'in'))
  writeFileSync(join(dir, 'k', 'in', 'a.yaml'), configMap)
  const tree = diskTree()
  const swapping = {
    ...tree,
    readFile: (path: string) => {
      if (path.endsWith('in/a.yaml')) {
        renameSync(join(dir, 'k', 'in'), join(dir, 'k', 'old'))
        symlinkSync('../outside', join(dir, 'k', 'in'))
      }
      return tree.readFile(path)
    },
  }
  assert.throws(() => build(swapping, join(dir, 'k')), /became a link to/)
  assert.throws(() => tree.readDir(join(dir, 'k', 'in')))
})
