import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { createRepository } from '../../src/embedded/gitd/create.ts'

const bundle = resolve('dist/sluice.mjs')
const temp = mkdtempSync(join(tmpdir(), 'sluice-git-tokens-'))
const state = join(temp, 'state')
const clone = join(temp, 'clone')
let server: Server

type Server = { readonly child: ChildProcess; readonly url: string; readonly token: string }

/** `sluice serve gitd` as a user starts it, ready. */
async function serve(): Promise<Server> {
  const child = spawn(process.execPath, [bundle, 'serve', 'gitd', '--state', state], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { child, ...(JSON.parse(line) as { url: string; token: string }) }
}

async function end(signal: NodeJS.Signals): Promise<void> {
  const exited = once(server.child, 'exit')
  server.child.kill(signal)
  await exited
}

type Ran = { readonly status: number | null; readonly stdout: string; readonly stderr: string }

function sluice(...argv: readonly string[]): Ran {
  return spawnSync(process.execPath, [bundle, 'token', ...argv, '--state', state], { encoding: 'utf8' })
}

const env = { PATH: process.env['PATH'], HOME: temp, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' }
const git = (...args: readonly string[]): Ran => spawnSync('git', ['-C', clone, ...args], { env, encoding: 'utf8' })

/** Pushes something new as the holder of a token. */
function push(token: string): Ran {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org']
  git(...identity, 'commit', '-q', '--allow-empty', '-m', 'change')
  return git('push', '-q', `${server.url.replace('://', `://anybody:${token}@`)}/app.git`, 'HEAD:main')
}

function create(name: string): string {
  const { status, stdout, stderr } = sluice('create', name)
  assert.equal(status, 0, stderr)
  return stdout.trim()
}

before(async () => {
  const folder = join(temp, 'folder')
  mkdirSync(folder)
  writeFileSync(join(folder, 'README.md'), 'hello\n')
  await createRepository(join(state, 'git'), 'app', { fromFolder: folder })
  server = await serve()
  const cloned = spawnSync('git', ['clone', '-q', `${server.url}/app.git`, clone], { env, encoding: 'utf8' })
  assert.equal(cloned.status, 0, cloned.stderr)
})
after(async () => {
  await end('SIGTERM')
  rmSync(temp, { recursive: true, force: true })
})

test('a named token pushes until it is revoked, without a restart and after one', async () => {
  const [ann, ci] = [create('ann'), create('ci')]
  assert.equal(push(ann).status, 0)
  assert.equal(push(ci).status, 0)
  await end('SIGKILL')
  server = await serve()
  assert.equal(push(ann).status, 0)

  assert.equal(sluice('revoke', 'ann').stdout, 'revoked token ann\n')
  const refused = push(ann)
  assert.notEqual(refused.status, 0)
  assert.match(refused.stderr, /Authentication failed/)
  assert.equal(push(ci).status, 0)
  assert.equal(push(server.token).status, 0)
  await end('SIGTERM')
  server = await serve()
  assert.notEqual(push(ann).status, 0)
  assert.equal(push(ci).status, 0)
})

test('a name that is given again is another token', () => {
  const first = create('bot')
  assert.equal(sluice('revoke', 'bot').status, 0)
  const second = create('bot')
  assert.notEqual(push(first).status, 0)
  assert.equal(push(second).status, 0)
})

test('only the hash of a token is kept, for its owner alone', () => {
  const secret = create('kept')
  const folder = join(state, 'git-tokens')
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  for (const name of readdirSync(folder)) {
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600)
    assert.doesNotMatch(readFileSync(join(folder, name), 'utf8'), new RegExp(secret))
  }
  const listed = JSON.parse(sluice('list', '-o', 'json').stdout) as { name: string }[]
  assert.ok(listed.some(({ name }) => name === 'kept'))
  assert.deepEqual(Object.keys(listed[0] ?? {}), ['name', 'createdAt'])
})

test('a damaged file lets nobody in and takes no other token along', () => {
  const good = create('good')
  const bad = create('bad')
  writeFileSync(join(state, 'git-tokens', 'bad.json'), '{"torn')
  assert.notEqual(push(bad).status, 0)
  assert.equal(push(good).status, 0)
  assert.equal(sluice('revoke', 'bad').status, 0)
})

test('names are taken once, and what is not there is told', () => {
  create('once')
  const again = sluice('create', 'once')
  assert.equal(again.status, 3)
  assert.match(again.stderr, /there is a token "once" already\n {2}where: .*\n {2}hint: .*sluice token revoke once/)
  const gone = sluice('revoke', 'nobody')
  assert.equal(gone.status, 3)
  assert.match(gone.stderr, /no token "nobody"\n {2}where: .*\n {2}hint: sluice token list shows them/)
})

test('tokens made at the same time do not lose each other', async () => {
  const names = Array.from({ length: 6 }, (_, index) => `same-${index}`)
  const made = names.map((name) =>
    once(spawn(process.execPath, [bundle, 'token', 'create', name, '--state', state], { stdio: 'ignore' }), 'exit'),
  )
  for (const exited of made) assert.deepEqual(await exited, [0, null])
  assert.deepEqual(
    (JSON.parse(sluice('list', '-o', 'json').stdout) as { name: string }[])
      .map(({ name }) => name)
      .filter((name) => name.startsWith('same-')),
    names,
  )
})
