import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import type { RunsSeen } from '../../src/agents/runner/records.ts'
import { LONG_MS, until } from '../support/wait.ts'

const temp = mkdtempSync(join(tmpdir(), 'sluice-runner-kill-'))
const children = new Set<ChildProcess>()
after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(temp, { recursive: true, force: true, maxRetries: 5 })
})

/** A Git server and a runner in a process of their own; `seen` follows what the runner says. */
async function start(): Promise<{ child: ChildProcess; port: number; seen: () => RunsSeen | undefined }> {
  const code = `
    const { serveGitd } = await import(${JSON.stringify(resolve('src/embedded/gitd/serve.ts'))})
    const { startRunner } = await import(${JSON.stringify(resolve('src/agents/runner/start.ts'))})
    let runner, early = []
    const onPush = (push) => runner ? runner.onPush(push) : early.push(push)
    const gitd = await serveGitd({ root: ${JSON.stringify(join(temp, 'git'))}, port: 0, token: 't', onPush })
    await gitd.createRepository('app', { fromFolder: ${JSON.stringify(join(temp, 'folder'))} })
    const registry = { alias: 'r', host: '127.0.0.1:1', url: 'http://127.0.0.1:1' }
    runner = await startRunner({ git: { url: gitd.urlOf, token: 't' }, stateDir: ${JSON.stringify(join(temp, 'runs'))}, registry })
    early.forEach(onPush)
    console.log(gitd.port)
    setInterval(() => console.log(JSON.stringify(runner.runs())), 20)`
  const argv = ['--import', 'tsx', '--input-type=module', '-e', code]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  let seen: RunsSeen | undefined
  const port = await new Promise<number>((found) =>
    createInterface({ input: child.stdout }).on('line', (line) => {
      const value = JSON.parse(line) as number | RunsSeen
      if (typeof value === 'number') found(value)
      else seen = value
    }),
  )
  return { child, port, seen: () => seen }
}

test(
  'kill -9 in a step: its processes end, the run goes through once more, and only once',
  { timeout: LONG_MS },
  async () => {
    const mark = join(temp, 'mark')
    const script = `echo "$GITHUB_RUN_ATTEMPT $$" >> ${mark}; test $GITHUB_RUN_ATTEMPT = 2 || sleep 300`
    const workflow = `on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: ${script}\n`
    mkdirSync(join(temp, 'folder', '.github', 'workflows'), { recursive: true })
    writeFileSync(join(temp, 'folder', '.github', 'workflows', 'w.yml'), workflow)
    const first = await start()
    const url = `http://x:t@127.0.0.1:${first.port}/app.git`
    const push =
      'git clone -q "$0" c && cd c && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git push -q origin HEAD:main'
    const pushed = spawnSync('sh', ['-c', push, url], {
      cwd: temp,
      encoding: 'utf8',
      env: { ...process.env, HOME: temp },
    })
    assert.equal(pushed.status, 0, pushed.stderr)
    await until('the step begins', () => existsSync(mark) && readFileSync(mark, 'utf8').includes('\n'))
    const pid = Number(readFileSync(mark, 'utf8').split(' ')[1])
    first.child.kill('SIGKILL')
    assert.ok(isAlive(pid), 'the step outlives its runner')

    const second = await start()
    await until('the run ends', () => second.seen()?.list[0]?.state === 'succeeded')
    assert.ok(!isAlive(pid))
    second.child.kill('SIGKILL')

    const third = await start()
    await until('the third start is quiet', () => third.seen()?.active === 0)
    third.child.kill('SIGKILL')
    assert.deepEqual(
      readFileSync(mark, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0]),
      ['1', '2'],
    )
  },
)

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
