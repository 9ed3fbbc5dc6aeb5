import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { LONG_MS } from '../support/wait.ts'

const TOKEN = 'token'
const ROUNDS = 6
const temp = mkdtempSync(join(tmpdir(), 'sluice-kill-'))
const children = new Set<ChildProcess>()
after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(temp, { recursive: true, force: true, maxRetries: 5 })
})

/** A gitd in a process of its own, so that it can be killed. It prints its port, then an event a line. */
async function startServer(events: string[]): Promise<{ port: number; child: ChildProcess }> {
  const code = `
    const { serveGitd } = await import(${JSON.stringify(resolve('src/embedded/gitd/serve.ts'))})
    const { writeSync } = await import('node:fs')
    const print = (value) => writeSync(1, JSON.stringify(value) + '\\n')
    const gitd = await serveGitd({ root: ${JSON.stringify(join(temp, 'root'))}, port: 0, token: '${TOKEN}', onPush: ({ after }) => print(after) })
    await gitd.createRepository('app', { fromFolder: ${JSON.stringify(join(temp, 'folder'))} })
    print(gitd.port)`
  const argv = ['--import', 'tsx', '--input-type=module', '-e', code]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  const lines = createInterface({ input: child.stdout })
  const port = await new Promise<number>((found) =>
    lines.on('line', (line) => {
      const value: unknown = JSON.parse(line)
      if (typeof value === 'number') found(value)
      else if (typeof value === 'string') events.push(value)
    }),
  )
  return { port, child }
}

function git(cwd: string, ...args: string[]): Promise<{ code: number; out: string }> {
  const author = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@b' }
  const env = { ...process.env, ...author, HOME: temp, GIT_CONFIG_NOSYSTEM: '1' }
  return new Promise((done) => {
    const child = spawn('git', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.once('close', (code) => done({ code: code ?? 1, out: out.trim() }))
  })
}

test('kill -9 while pushing: no acknowledged push is lost, and each is told', { timeout: LONG_MS }, async () => {
  mkdirSync(join(temp, 'folder'))
  writeFileSync(join(temp, 'folder', 'a'), 'a')
  const events: string[] = []
  const clone = join(temp, 'clone')
  const acknowledged: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const { port, child } = await startServer(events)
    const url = `http://x:${TOKEN}@127.0.0.1:${port}/app.git`
    if (round === 0) assert.equal((await git(temp, 'clone', '-q', url, clone)).code, 0)
    const exited = new Promise((done) => child.once('exit', done))
    let kill: NodeJS.Timeout | undefined
    for (let isUp = true; isUp;) {
      await git(clone, 'commit', '-q', '--allow-empty', '-m', `${round}`)
      const head = (await git(clone, 'rev-parse', 'HEAD')).out
      isUp = (await git(clone, 'push', '-q', url, 'HEAD:main')).code === 0
      if (isUp) acknowledged.push(head)
      kill ??= setTimeout(() => child.kill('SIGKILL'), 20 + round * 30)
    }
    await exited
  }
  const { child } = await startServer(events)
  assert.ok(acknowledged.length > 0)
  const main = (await git(join(temp, 'root', 'app.git'), 'rev-parse', 'main')).out
  const history = new Set((await git(join(temp, 'root', 'app.git'), 'rev-list', 'main')).out.split('\n'))
  child.kill('SIGKILL')
  assert.deepEqual(
    acknowledged.filter((commit) => !history.has(commit)),
    [],
  )
  assert.deepEqual(
    acknowledged.filter((commit) => !events.includes(commit)),
    [],
  )
  // what moved the branch without being acknowledged is told as well
  assert.ok(events.includes(main) || acknowledged.length === 0)
  assert.equal((await git(join(temp, 'root', 'app.git'), 'fsck', '--strict')).code, 0)
})

test('a lock that git left when it was killed with its server blocks no later push', { timeout: LONG_MS }, async () => {
  const root = join(temp, 'root')
  const lock = join(root, 'app.git', 'refs', 'heads', 'main.lock')
  writeFileSync(lock, '')
  const pending = { repository: 'app', user: 'x', commands: [{ ref: 'refs/heads/main', before: '', after: '' }] }
  writeFileSync(join(root, '.sluice', 'pushes', '000000000099.json'), JSON.stringify(pending))
  const { port, child } = await startServer([])
  assert.ok(!existsSync(lock))
  const clone = join(temp, 'clone')
  await git(clone, 'commit', '-q', '--allow-empty', '-m', 'after the lock')
  const pushed = await git(clone, 'push', '-q', `http://x:${TOKEN}@127.0.0.1:${port}/app.git`, '+HEAD:main')
  child.kill('SIGKILL')
  assert.equal(pushed.code, 0)
})
