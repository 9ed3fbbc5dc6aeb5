import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { PATIENCE_MS } from '../support/wait.ts'

const bundle = resolve('dist/sluice.mjs')
const temp = mkdtempSync(join(tmpdir(), 'sluice-engine-command-'))
const started: ChildProcess[] = []
after(async () => {
  for (const child of started.toReversed()) {
    const exited = once(child, 'exit')
    if (child.kill('SIGTERM')) await exited
  }
  rmSync(temp, { recursive: true, force: true })
})

/** Starts a command and reads the line that it prints when it is ready. */
async function ready(...argv: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const child = spawn(process.execPath, [bundle, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] })
  started.push(child)
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return JSON.parse(line) as Readonly<Record<string, string>>
}

test('the engine tells where it listens, by the real ports', async () => {
  const { kubeconfig = '' } = await ready('serve', 'kubed', '--state', join(temp, 'kubed'), '--node', 'none')
  const free = ['artifact', 'receiver', 'events', 'metrics'].flatMap((what) => [`--${what}-listen`, '127.0.0.1:0'])
  const flags = ['--kubeconfig', kubeconfig, '--state', temp, ...free]
  const told = await ready('engine', ...flags)
  const ask = async (what: string, path: string, method = 'GET') =>
    (await fetch(`http://${told[what]}${path}`, { method })).status
  assert.equal(await ask('artifacts', '/none'), 404)
  assert.equal(await ask('receivers', '/hook/none'), 404)
  assert.equal(await ask('events', '/', 'POST'), 400)
  assert.equal(await ask('metrics', '/metrics'), 200)
  assert.equal(told['traps'], 'safe')
})

for (const election of ['true', 'false'])
  test(`the engine ends when it cannot reach its cluster at the start, leader election ${election}`, async () => {
    const path = join(temp, `away-${election}.kubeconfig`)
    const [clusters, users] = [[{ name: 'c', cluster: { server: 'http://127.0.0.1:1' } }], [{ name: 'u', user: {} }]]
    const contexts = [{ name: 'x', context: { cluster: 'c', user: 'u' } }]
    const config = { apiVersion: 'v1', kind: 'Config', clusters, users, contexts, 'current-context': 'x' }
    writeFileSync(path, JSON.stringify(config))
    const free = ['artifact', 'receiver'].flatMap((what) => [`--${what}-listen`, '127.0.0.1:0'])
    const flags = [
      '--kubeconfig',
      path,
      '--state',
      join(temp, election),
      `--enable-leader-election=${election}`,
      ...free,
    ]
    const child = spawn(process.execPath, [bundle, 'engine', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const overdue = setTimeout(() => child.kill('SIGTERM'), PATIENCE_MS)
    const [code] = (await once(child, 'close')) as [number | null]
    clearTimeout(overdue)
    assert.equal(code, 3, said)
    assert.match(said, /cannot reach the Kubernetes API http:\/\/127\.0\.0\.1:1/)
  })
