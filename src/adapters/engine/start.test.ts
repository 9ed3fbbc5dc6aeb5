import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ownPorts } from '../../../tests/support/own-ports.ts'
import { systemClock } from '../clock.ts'
import { type SharedCaches, shareCaches } from '../kube/shared-caches.ts'
import type { KubeClient } from '../kube/types.ts'
import { type EngineOptions, startEngine } from './start.ts'

const listenOn = async (port: number): Promise<Server> => {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  return server
}
const portOf = (server: Server): number => (server.address() as AddressInfo).port
const closed = (server: Server): Promise<unknown> => new Promise((resolve) => server.close(resolve))

/** A cluster with nothing in it. */
const empty = {
  list: async () => ({ items: [], resourceVersion: '1' }),
  watch: (_of: unknown, _from: unknown, _told: unknown, signal: AbortSignal) =>
    new Promise<void>((end) => signal.addEventListener('abort', () => end())),
  resource: async () => undefined,
  get: async () => undefined,
} as unknown as KubeClient

/** An engine that cannot start: the port of its receivers is another's. */
async function startInVain(t: TestContext, more: Partial<EngineOptions>): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), 'sluice-start-'))
  const other = await listenOn(0)
  t.after(async () => {
    await closed(other)
    rmSync(stateDir, { recursive: true })
  })
  const start = startEngine({
    client: empty,
    clock: systemClock,
    stateDir,
    artifactListen: '127.0.0.1:0',
    receiverListen: `127.0.0.1:${portOf(other)}`,
    traps: 'safe',
    installCrds: false,
    registryAliases: {},
    ...more,
  })
  await assert.rejects(start, { code: 'PORT_IN_USE' })
}

test('an engine that cannot start leaves the ports that it had taken', async (t) => {
  const port = await ownPorts()
  await startInVain(t, { artifactListen: `127.0.0.1:${port}` })
  await closed(await listenOn(port))
})

test('an engine that cannot start says why, though what had started cannot be closed', async (t) => {
  const lines: string[] = []
  const shared = shareCaches(empty, { clock: systemClock, onFault: () => undefined })
  const caches: SharedCaches = { ...shared, open: (of) => ({ ...shared.open(of), close: () => assert.fail('stuck') }) }
  await startInVain(t, { caches, log: (line) => void lines.push(line) })
  assert.ok(
    lines.some((line) => line.includes('stuck')),
    lines.join('\n'),
  )
  await shared.close()
})
