import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/adapters/clock.ts'
import { startEngine } from '../../src/adapters/engine/start.ts'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import { openDispatches } from '../../src/app/record/dispatches.ts'
import { apply, eventually, NS, startKubed } from '../support/engine-world.ts'
import { LONG_MS } from '../support/wait.ts'

const NOTIFICATION = 'notification.toolkit.fluxcd.io/v1beta3'

test('an Alert that does not get through is told until it does', { timeout: LONG_MS }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-notify-'))
  const server = await startKubed()
  const client = clientFromKubeconfig(server.kubeconfig)
  const endpoint = createServer((_, response) => response.end()).listen(0, '127.0.0.1')
  await new Promise((resolve) => endpoint.once('listening', resolve))
  const { port } = endpoint.address() as AddressInfo
  const dispatches = openDispatches()
  /** What is told at each change: a fault that comes again is none. */
  const changes: string[] = []
  dispatches.subscribe(() => changes.push(told()))
  const any = '127.0.0.1:0'
  const engine = await startEngine({
    ...{ client, clock: systemClock, stateDir: dir, traps: 'safe', installCrds: true, registryAliases: {} },
    ...{ artifactListen: any, receiverListen: '', eventsListen: any, onDispatch: dispatches.onDispatch },
  })
  t.after(async () => {
    await engine.close()
    client.close()
    endpoint.close()
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  const metadata = { name: 'ops', namespace: NS }
  const provider = (more: object) => {
    const spec = { type: 'generic', address: `http://127.0.0.1:${port}/`, ...more }
    return apply(client, { apiVersion: NOTIFICATION, kind: 'Provider', metadata, spec })
  }
  const says = async (message: string): Promise<void> => {
    const involvedObject = { kind: 'Kustomization', namespace: NS, name: 'a', apiVersion: 'x/v1', uid: 'u' }
    const event = { involvedObject, severity: 'error', reason: 'R', message, timestamp: new Date().toISOString() }
    const body = JSON.stringify({ ...event, reportingController: 'c' })
    await fetch(`http://${engine.addresses.events}/`, { method: 'POST', body })
  }
  const told = (): string =>
    dispatches
      .faults()
      .map(({ alert, provider: to, cause }) => `${alert} ${to} ${cause}`)
      .join()
  await apply(client, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NS } })
  await provider({ secretRef: { name: 'none' } })
  const eventSources = [{ kind: 'Kustomization', name: '*' }]
  const spec = { providerRef: { name: 'ops' }, eventSources }
  await apply(client, { apiVersion: NOTIFICATION, kind: 'Alert', metadata, spec })
  await eventually(async () => {
    await says('it is broken')
    return /^apps\/ops ops failed to dispatch notification for Kustomization\/apps\/a: .*secrets "none" not found/.test(
      told(),
    )
  }, told)
  await provider({})
  await eventually(async () => told() === '', told)
  assert.equal(changes.at(-1), '')
  for (const [at, text] of changes.entries()) assert.notEqual(text, changes[at - 1])
})
