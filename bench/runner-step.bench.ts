// What one workflow step costs beside its own work, and what a push costs until its run begins. JSON lines.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRunner } from '../src/agents/runner/start.ts'
import { serveGitd, type PushEvent } from '../src/embedded/gitd/serve.ts'

const STEPS = 50
const temp = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
let onPush: (event: PushEvent) => void = () => undefined
const gitd = await serveGitd({ root: join(temp, 'git'), port: 0, token: 't', onPush: (event) => onPush(event) })
const folder = join(temp, 'folder', '.github', 'workflows')
mkdirSync(folder, { recursive: true })
const steps = (count: number): string => Array.from({ length: count }, () => '      - run: "true"\n').join('')
const workflow = (name: string, count: number): string =>
  `name: ${name}\non: {push: {branches: [${name}]}}\njobs:\n  a:\n    runs-on: x\n    steps:\n${steps(count)}`
writeFileSync(join(folder, 'one.yml'), workflow('one', 1))
writeFileSync(join(folder, 'many.yml'), workflow('many', 1 + STEPS))
await gitd.createRepository('app', { fromFolder: join(temp, 'folder') })
const runner = await startRunner({
  git: { url: gitd.urlOf, token: 't' },
  stateDir: join(temp, 'runs'),
  registry: { alias: 'registry.sluice.local', host: '127.0.0.1:1', url: 'http://127.0.0.1:1' },
})
onPush = runner.onPush
const clone = join(temp, 'clone')
const url = gitd.urlOf('app').replace('http://', 'http://x:t@')
await git(temp, 'clone', '-q', url, clone)

const [one, many, pushes]: [number[], number[], number[]] = [[], [], []]
for (let round = 0; round < 6; round++) {
  const single = await measure('one')
  const several = await measure('many')
  if (round === 0) continue // the first loads the parsers
  pushes.push(single.pushMs)
  one.push(single.runMs)
  many.push(several.runMs)
}
print('workflow step, beside its own work', (median(many) - median(one)) / STEPS, 'ms')
print('push acknowledged', median(pushes), 'ms')
print('push to the end of a run with one step', median(one), 'ms')
await runner.close()
await gitd.close()
rmSync(temp, { recursive: true, force: true })

async function measure(branch: string): Promise<{ runMs: number; pushMs: number }> {
  await git(clone, '-c', 'user.name=b', '-c', 'user.email=b@b', 'commit', '-q', '--allow-empty', '-m', 'x')
  const started = performance.now()
  await git(clone, 'push', '-q', 'origin', `HEAD:${branch}`)
  const pushMs = performance.now() - started
  while (runner.runs().active > 0) await new Promise((resolve) => setTimeout(resolve, 2))
  return { runMs: performance.now() - started - pushMs, pushMs }
}

function git(cwd: string, ...args: string[]): Promise<void> {
  return new Promise((resolve, reject) =>
    spawn('git', args, { cwd, stdio: 'ignore' }).once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`git ${args[0] ?? ''}: ${code}`)),
    ),
  )
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function print(name: string, value: number, unit: string): void {
  console.log(JSON.stringify({ name, value: Math.round(value * 100) / 100, unit }))
}
