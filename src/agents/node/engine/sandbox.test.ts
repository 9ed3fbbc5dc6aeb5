import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { LABELS } from './bodies.ts'
import { createSandbox, type Engine } from './sandbox.ts'

const POD = { uid: 'u', namespace: 'shop', name: 'web' }
const NAME = 'sluice-n-u'

/** An engine that has the containers `there` by name, and what a pod has written to a volume. */
function engineWith(t: TestContext, there: Map<string, 'running' | 'stopped'>, canStart: boolean) {
  const stateDir = mkdtempSync(join(tmpdir(), 'engine-'))
  t.after(() => rmSync(stateDir, { recursive: true }))
  const volume = join(stateDir, 'pods', 'u', 'volumes', 'data')
  mkdirSync(volume, { recursive: true })
  const written = join(volume, 'file')
  writeFileSync(written, 'kept')
  const shown = (name: string): object => ({
    Id: name,
    Name: `/${name}`,
    Config: { Labels: { [LABELS.node]: 'n', [LABELS.kind]: 'sandbox', [LABELS.uid]: 'u' } },
    State: { Running: there.get(name) === 'running', Status: 'running', Pid: 7, StartedAt: '2026-11-28T00:00:00Z' },
    NetworkSettings: { Networks: { 'sluice-n': { IPAddress: '10.0.0.2' } } },
  })
  const ask = async (method: string, path: string): Promise<unknown> => {
    const [, name = ''] = /[/=](sluice-n-u)/.exec(path) ?? []
    const refuse = (why: string): never => {
      throw new SluiceError('NODE_DRIVER', why, { retry: 'backoff' })
    }
    if (path.startsWith('/containers/json')) return [...there.keys()].map((Id) => ({ Id }))
    if (method === 'DELETE') return void there.delete(name)
    if (method === 'GET') return there.has(name) ? shown(name) : refuse('404')
    if (path.startsWith('/containers/create'))
      return there.has(name) ? refuse('409 the name is in use') : void there.set(name, 'stopped')
    return canStart ? void there.set(name, 'running') : refuse('500 no address')
  }
  const engine: unknown = {
    ...{ stateDir, client: { ask }, known: new Map() },
    place: { node: 'n', network: 'sluice-n', gateway: '10.0.0.1', emptyImage: 'e', ulimits: [] },
  }
  return { engine: engine as Engine, written }
}

test('the network of a pod is made anew where that of before the machine started anew has its name still', async (t) => {
  const { engine, written } = engineWith(t, new Map([[NAME, 'stopped']]), true)
  assert.deepEqual(await createSandbox(engine, POD, { sysctls: [], sharesProcesses: false }), {
    uid: 'u',
    ip: '10.0.0.2',
  })
  assert.ok(existsSync(written))
})

test('what is left of a network that could not be made goes, and the volumes of the pod stay', async (t) => {
  const there = new Map<string, 'running' | 'stopped'>()
  const { engine, written } = engineWith(t, there, false)
  await assert.rejects(createSandbox(engine, POD, { sysctls: [], sharesProcesses: false }), /no address/)
  assert.equal(there.size, 0)
  assert.ok(existsSync(written))
})
