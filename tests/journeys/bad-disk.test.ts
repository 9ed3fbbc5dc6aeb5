import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test, type TestContext } from 'node:test'
import { untilAllHealthy } from './crash.ts'
import { change, cloneOf, git, scratch, startProduct, statusOf, untilDelivered } from './product.ts'

// A state folder that the product may not write, and one on a disk that is full.
const isRoot = process.getuid?.() === 0
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

test('a state folder that cannot be written is named, with the way out', { timeout: 60_000 }, async () => {
  const space = scratch()
  const folder = join(space.dir, 'readonly')
  mkdirSync(folder)
  chmodSync(folder, 0o555)
  chmodSync(space.dir, 0o755)
  const { code, text } = await up(join(folder, 'state'), isRoot ? NOBODY : [])
  chmodSync(folder, 0o755)
  space.release()
  assert.equal(code, 3)
  assert.match(text, /^error: the state folder \S+\/readonly\/state cannot be written: EACCES/m)
  assert.match(text, /hint: free space or change its owner, or choose another folder with --state/)
})

test(
  'a full disk is named; with space again, the same state goes on and has lost nothing',
  { timeout: 300_000 },
  async (t) => {
    const space = scratch()
    const disk = join(space.dir, 'disk')
    const state = join(disk, 'state')
    mkdirSync(disk)
    const isMounted = mounted(t, disk)
    t.after(() => space.release()) // after the disk is gone
    if (!isMounted) return
    const full = await up(state, [], '40')
    assert.equal(full.code, 3)
    assert.match(full.text, /ENOSPC|no space left on device/i)
    const before = headOf(disk)
    execFileSync('mount', ['-o', 'remount,size=1g', disk])
    const again = await up(state, [], '60')
    assert.doesNotMatch(again.text, /no base image|ENOSPC|no space left/)
    execFileSync('git', ['-C', repositoryOn(disk), 'merge-base', '--is-ancestor', before, headOf(disk)])
  },
)

test('a disk that fills under a running product refuses pushes; with space again the same push goes through', async (t) => {
  const space = scratch()
  const disk = join(space.dir, 'disk')
  mkdirSync(disk)
  const isMounted = mounted(t, disk, '300m')
  t.after(() => space.release())
  if (!isMounted) return
  const product = await startProduct(join(disk, 'state'), resolve('examples/vps'), ['--node', 'sim'])
  t.after(() => product.kill('SIGKILL'))
  await untilAllHealthy(product)
  const clone = cloneOf(product, space.dir, 'develop')
  const edit = (source: string): string => source.replace(/^const name = .*$/m, (line) => `// full\n${line}`)
  const commit = change(clone, 'api-gateway/server.mjs', edit, 'feat: full', ['--dry-run', 'origin', 'HEAD'])
  const filler = join(disk, 'filler')
  assert.throws(() => fill(filler), /ENOSPC/)
  assert.throws(() => git(clone, 'push', '--quiet', 'origin', 'HEAD'))
  assert.ok((await statusOf(product)).services.length > 0, 'the page still answers')
  rmSync(filler)
  git(clone, 'push', '--quiet', 'origin', 'HEAD')
  await untilDelivered(product, 'api-gateway', 'staging', commit)
  await untilAllHealthy(product)
})

/** The newest commit of production, checked whole: what was pushed is not lost. */
function headOf(disk: string): string {
  const repository = repositoryOn(disk)
  execFileSync('git', ['-C', repository, 'fsck', '--strict'], { stdio: 'ignore' })
  return execFileSync('git', ['-C', repository, 'rev-parse', 'refs/heads/main'], { encoding: 'utf8' }).trim()
}

function fill(file: string): never {
  for (const bytes = Buffer.alloc(8 << 20); ;) appendFileSync(file, bytes)
}

function repositoryOn(disk: string): string {
  return join(disk, 'state/git/vps.git')
}

/** Mounts a small disk; where that is not allowed the test is skipped. */
function mounted(t: TestContext, folder: string, size = '24m'): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    t.skip('no disk can be mounted here')
    return false
  }
  t.after(() => execFileSync('umount', ['--lazy', folder]))
  return true
}

function up(
  state: string,
  as: readonly string[],
  timeoutSeconds = '30',
): Promise<{ readonly code: number | null; readonly text: string }> {
  const flags = ['--state', state, '--node', 'sim', '--once', '--timeout', timeoutSeconds]
  const argv = [...as, process.execPath, resolve('dist/sluice.mjs'), 'up', resolve('examples/vps'), ...flags]
  const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return new Promise((done) => child.once('close', (code) => done({ code, text })))
}
