import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test, type TestContext } from 'node:test'
import { scratch } from './product.ts'

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
  { timeout: 180_000 },
  async (t) => {
    const space = scratch()
    const disk = join(space.dir, 'disk')
    mkdirSync(disk)
    const isMounted = mounted(t, disk)
    t.after(() => space.release()) // after the disk is gone
    if (!isMounted) return
    const full = await up(join(disk, 'state'), [], '40')
    assert.equal(full.code, 3)
    assert.match(full.text, /ENOSPC|no space left on device/i)
    const before = headOf(disk)
    execFileSync('mount', ['-o', 'remount,size=1g', disk])
    const again = await up(join(disk, 'state'), [], '60')
    assert.doesNotMatch(again.text, /no base image|ENOSPC|no space left/)
    assert.equal(headOf(disk), before)
  },
)

/** The newest commit of production, checked whole: what was pushed is not lost. */
function headOf(disk: string): string {
  const repository = join(disk, 'state/git/vps.git')
  execFileSync('git', ['-C', repository, 'fsck', '--strict'], { stdio: 'ignore' })
  return execFileSync('git', ['-C', repository, 'rev-parse', 'refs/heads/main'], { encoding: 'utf8' }).trim()
}

/** Mounts a small disk; where that is not allowed the test is skipped. */
function mounted(t: TestContext, folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder], { stdio: 'ignore' })
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
