import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { untilAllHealthy } from './crash.ts'
import { cloneOf, git, type Product, scratch, startProduct, statusOf, untilDelivered } from './product.ts'
import { LONG_MS, until } from '../support/wait.ts'

// A state folder that the product may not write, one on a disk that is full, and one on a disk that fills while the product runs.
const isRoot = process.getuid?.() === 0
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

test('a state folder that cannot be written is named, with the way out', { timeout: LONG_MS }, async () => {
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
  { timeout: LONG_MS },
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

test(
  'a disk that fills: said where and what to do, nothing lost, and with room again all goes on by itself',
  { timeout: LONG_MS },
  async (t) => {
    const space = scratch()
    const disk = join(space.dir, 'disk')
    mkdirSync(disk)
    let product: Product | undefined
    t.after(() => product?.kill('SIGKILL')) // before the disk is gone
    const isMounted = mounted(t, disk, '700m')
    t.after(() => space.release()) // after the disk is gone
    if (!isMounted) return
    product = await startProduct(join(disk, 'state'), resolve('examples/vps'), ['--node', 'sim'])
    await untilAllHealthy(product)
    const clone = cloneOf(product, space.dir, 'develop')

    const queued = product.printed(/run .*: queued: runs again by itself when there is room: .*No space left/)
    fill(disk, 24 << 20)
    const large = 'head -c 64000000 /dev/zero > large; rm large; node --test'
    const workflow = (text: string): string => text.replace('node --test', large)
    commit(clone, '.github/workflows/api-gateway-build.yml', workflow, 'a step that wants room')
    commit(clone, 'api-gateway/server.mjs', comment('wants room'), 'a run that fails by a full disk')
    const wanting = pushed(clone)
    await queued
    empty(disk)
    await untilDelivered(product, 'api-gateway', 'staging', wanting)

    fill(disk, 0)
    commit(clone, 'api-gateway/server.mjs', comment('refused'), 'a push that a full disk refuses')
    git(clone, 'pull', '--quiet', '--rebase')
    const refused = spawnSync('git', ['push', 'origin', 'HEAD'], { cwd: clone, encoding: 'utf8' })
    assert.notEqual(refused.status, 0)
    assert.match(refused.stderr, /disk of the Git server takes no writes|No space left on device/)
    const full = /^the disk of \S+\/disk\/state is full \(0\.\d MiB left\): free space/
    const seen = product
    const isNamed = async (): Promise<boolean> => full.test((await statusOf(seen)).notice ?? '')
    await until('status names the disk', isNamed)
    const done = await refusesWrites(product, disk)
    empty(disk)
    await done()
    await untilDelivered(product, 'api-gateway', 'staging', pushed(clone))
    await until('nothing is full any more', async () => !(await isNamed()))
    await untilAllHealthy(product)
  },
)

const comment = (text: string) => (source: string) =>
  source.replace(/^const name = .*$/m, (line) => `// ${text}\n${line}`)

function commit(clone: string, path: string, edit: (text: string) => string, message: string): void {
  const file = join(clone, path)
  writeFileSync(file, edit(readFileSync(file, 'utf8')))
  git(clone, 'commit', '--quiet', '-am', message)
}

/** Pushes on top of what the automation wrote meanwhile; answers the commit. */
function pushed(clone: string): string {
  for (let tries = 1; ; tries++) {
    git(clone, 'pull', '--quiet', '--rebase')
    try {
      git(clone, 'push', '--quiet', 'origin', 'HEAD')
      return git(clone, 'rev-parse', 'HEAD')
    } catch (error) {
      if (tries === 5) throw error
    }
  }
}

/** The API refuses in words what it cannot keep; what was under way when the disk became full waits and goes through. */
async function refusesWrites(product: Product, disk: string): Promise<() => Promise<void>> {
  const client = clientFromKubeconfig(product.access.kube.kubeconfig)
  const large = (name: string): KubeObject => ({
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } },
    data: { a: 'x'.repeat(900_000) },
  })
  const underWay: Promise<void>[] = []
  let openCount = 0
  const write = (): void => {
    openCount++
    const ended = (): void => void openCount--
    underWay.push(client.create(large(`large-${underWay.length}`), { fieldManager: 'test' }).then(ended, ended))
  }
  for (let count = 0; count < 8; count++) write()
  const answers: string[] = []
  const look = (): Promise<string> => {
    // a job that ends may have given room back, and somebody else may be faster to take it
    try {
      fill(disk, 0)
    } catch {
      return Promise.resolve('')
    }
    if (openCount === 0) write()
    const listed = client.list({ apiVersion: 'v1', kind: 'Namespace' }).then(
      () => '',
      (error: unknown) => String(error),
    )
    // what comes together with the write that finds no room waits as that does; the next look is refused
    return Promise.race([listed, sleep(60_000, 'no answer', { ref: false })])
  }
  const isSaid = async (): Promise<boolean> => {
    answers.push(await look())
    return /cannot be written .*free space on its disk/.test(answers.at(-1) ?? '')
  }
  const told = (): string =>
    `${openCount} of ${underWay.length} writes wait; ${answers.slice(-3).join(' | ')}\n${product.output().slice(-3000)}`
  await until('the API says it', isSaid, told)
  return async () => {
    await Promise.all(underWay)
    client.close()
  }
}

/** Takes all room of a disk but some. */
function fill(disk: string, leaveBytes: number): void {
  const { bsize, bfree } = statfsSync(disk)
  const bytes = bsize * bfree - leaveBytes
  if (bytes > 0) execFileSync('fallocate', ['--length', String(bytes), join(disk, `ballast-${randomUUID()}`)])
}

function empty(disk: string): void {
  for (const name of readdirSync(disk)) if (name.startsWith('ballast-')) rmSync(join(disk, name))
}

/** The newest commit of production, checked whole: what was pushed is not lost. */
function headOf(disk: string): string {
  const repository = join(disk, 'state/git/vps.git')
  execFileSync('git', ['-C', repository, 'fsck', '--strict'], { stdio: 'ignore' })
  return execFileSync('git', ['-C', repository, 'rev-parse', 'refs/heads/main'], { encoding: 'utf8' }).trim()
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
