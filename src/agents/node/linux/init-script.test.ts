import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { enterWords } from './enter.ts'
import { HOLD_SCRIPT, INIT_SCRIPT, reap } from './init-script.ts'
import { TOOL_ENV } from './launch.ts'
import { prepareTools } from './tools.ts'

const closed = whyClosed()
const skip = closed === undefined ? {} : { skip: `no namespaces here: ${closed}` }

function whyClosed(): string | undefined {
  if (process.platform !== 'linux') return 'no Linux'
  try {
    execFileSync('unshare', ['-Urmp', '--fork', 'true'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

type Bind = readonly [source: string, target: string, mode: 'ro' | 'rw' | 'new']

/** A folder with the script, its tools and a root; `run` mounts into the root and prints what is mounted at its targets. */
function place(t: TestContext) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-init-')))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const at = (name: string): string => join(folder, name)
  for (const name of ['root', 'volume', 'secret']) mkdirSync(at(name))
  writeFileSync(at('secret/token'), 'the token')
  prepareTools(at('tools'), at('hold'))
  writeFileSync(at('init.sh'), INIT_SCRIPT)
  const run = (binds: readonly Bind[], program: readonly string[] = ['/.sluice/ld']) => {
    const words = [at('root'), '', at('upper'), at('work'), 'no', at('tools'), '', '0', '', ...binds.flat(), '--']
    const entered = enterWords('.', ['', '', ''], ['-C', '/', '--', 'A=1', ...program])
    const argv = ['-Urmp', '--fork', 'sh', at('init.sh'), ...words, ...entered]
    const { status, stderr } = spawnSync('unshare', argv, { env: TOOL_ENV, encoding: 'utf8', cwd: folder })
    return { status, stderr }
  }
  return { at, run }
}

/** A program of the container that only says by its exit code that it was reached: `env` without words. */
const REACHED = ['/.sluice/ld', '--library-path', '/.sluice', '/.sluice/env']

test('folders, files and sockets are mounted', skip, async (t) => {
  const { at, run } = place(t)
  writeFileSync(at('volume/file'), '')
  const server = createServer().listen(at('volume/socket'))
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => server.close())
  const binds: Bind[] = [
    [at('volume'), '/data', 'rw'],
    [at('secret'), '/data/inner', 'ro'],
    [at('volume/file'), '/etc/file', 'ro'],
    [at('volume/socket'), '/run/socket', 'rw'],
  ]
  assert.deepEqual(run(binds, REACHED), { status: 0, stderr: '' })
})

test('the folder in which a program begins is made, in a volume, too, and not behind a link', skip, async (t) => {
  const { at, run } = place(t)
  symlinkSync(at('secret'), at('volume/out'))
  const binds: Bind[] = [
    [at('volume'), '/data', 'rw'],
    ['', '/work/a b/*', 'new'],
    ['', '/data/work', 'new'],
    ['', '/data/out/work', 'new'],
  ]
  assert.deepEqual(run(binds, REACHED), { status: 0, stderr: '' })
  const made = [at('root/work/a b/*'), at('volume/work'), at('secret/work')]
  assert.deepEqual(
    made.map((path) => existsSync(path)),
    [true, true, false],
  )
})

const hostile: readonly { readonly it: string; readonly prepare: (at: (name: string) => string) => Bind[] }[] = [
  {
    it: 'a folder of a volume that became a link',
    prepare(at) {
      symlinkSync(at('secret'), at('volume/sub'))
      return [[at('volume/sub'), '/data', 'rw']]
    },
  },
  {
    it: 'a file of a volume that became a link',
    prepare(at) {
      symlinkSync(at('secret/token'), at('volume/file'))
      return [[at('volume/file'), '/data', 'ro']]
    },
  },
  {
    it: 'a folder on the way that became a link',
    prepare(at) {
      mkdirSync(at('secret/sub'))
      symlinkSync(at('secret'), at('volume/way'))
      return [[at('volume/way/sub'), '/data', 'rw']]
    },
  },
  {
    it: 'a place in another volume that is a link',
    prepare(at) {
      symlinkSync(at('secret'), at('volume/sub'))
      mkdirSync(at('other'))
      return [
        [at('volume'), '/data', 'rw'],
        [at('other'), '/data/sub', 'rw'],
      ]
    },
  },
]
for (const { it, prepare } of hostile)
  test(`${it} is not mounted`, skip, (t) => {
    const { at, run } = place(t)
    const { status, stderr } = run(prepare(at), REACHED)
    assert.equal(status, 128, stderr)
    assert.match(stderr, /^sluice: .*(became a link|through a symlink)/m)
    assert.equal(readFileSync(at('secret/token'), 'utf8'), 'the token')
  })

/** The words of all that has this ancestor. */
function descendants(pid: number): string[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  return children.flatMap((child) => {
    try {
      return [readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0').join(' ').trim(), ...descendants(child)]
    } catch {
      return [] // it has ended meanwhile
    }
  })
}

test('the first process of a pod waits for a program that does nothing, and that is all it does', skip, async (t) => {
  const { at } = place(t)
  const hold = spawn(
    'unshare',
    ['-Urmp', '--fork', '--kill-child', 'sh', '-c', HOLD_SCRIPT, 'sh', 'host', at('hold')],
    {
      env: TOOL_ENV,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const ended = once(hold, 'exit')
  t.after(() => hold.kill('SIGKILL'))
  let said = ''
  hold.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const waits = (): boolean => descendants(hold.pid ?? 0).includes('/ld --library-path / /sleep infinity')
  while (said === '' && !waits()) await Promise.race([ended, new Promise((again) => setTimeout(again, 5))])
  assert.equal(said, '')
  hold.kill('SIGKILL')
  await ended
})

test(
  'a first process goes on where its program is ended by a signal, and ends where it cannot run',
  { skip: skip.skip ?? false },
  (t) => {
    const { at } = place(t)
    const twice = `sh -c "[ -e ${at('once')} ] && exit 127; : > ${at('once')}; kill -9 \\$\\$"`
    const { status, signal } = spawnSync('sh', ['-c', reap(twice)], { timeout: 60_000 })
    assert.deepEqual([status, signal], [0, null])
    assert.ok(existsSync(at('once')))
  },
)
