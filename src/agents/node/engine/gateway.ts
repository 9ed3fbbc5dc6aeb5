import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EngineClient } from '../../../adapters/container-engine/client.ts'
import { parseContainer } from '../../../adapters/container-engine/container.ts'
import { describeError, SluiceError } from '../../../lib/error/sluice-error.ts'
import { nearFolder } from '../../../machine/near-folder.ts'
import { connectKeeper, type KeeperClient } from '../keeper/client.ts'
import { keeperSource } from '../keeper/source.ts'
import { gatewayBody, LABELS, nameOf, type Place } from './bodies.ts'
import { ownUlimits } from './ulimits.ts'

/** Second numbers of networks `10.N.0.0/24` that a node may take; the Linux driver has 42, Services have 96. */
const FIRST_NETWORK = 43
const NETWORKS = 50

/** Makes the node's network in the engine, or finds it again; answers the address that the gateway has in it. */
export async function makeNetwork(engine: EngineClient, name: string, node: string): Promise<string> {
  const found = await engine.ask('GET', `/networks/${name}`).catch(() => undefined)
  const subnet = /"Subnet":"(10\.\d+\.0)\.0\/24"/.exec(JSON.stringify(found ?? {}))?.[1]
  if (subnet !== undefined) return `${subnet}.2`
  const first = Number.parseInt(node.slice(0, 4), 16)
  let last: unknown
  for (let turn = 0; turn < NETWORKS; turn++) {
    const prefix = `10.${FIRST_NETWORK + ((first + turn) % NETWORKS)}.0`
    const IPAM = { Config: [{ Subnet: `${prefix}.0/24`, Gateway: `${prefix}.1` }] }
    const body = { Name: name, Driver: 'bridge', Internal: true, IPAM, Labels: { [LABELS.node]: node } }
    try {
      await engine.ask('POST', '/networks/create', body)
      return `${prefix}.2`
    } catch (error) {
      last = error
    }
  }
  throw new SluiceError('NODE_DRIVER', `the network of the pods cannot be made: ${describeError(last)}`)
}

/** A gateway that runs, and how the node speaks to it. */
export type Gateway = { readonly keeper: KeeperClient; readonly place: Place }

/**
 * Starts the gateway of the node's pods, or takes over the one that an earlier server left; it is made anew when it is not of this version.
 *
 * @throws SluiceError NODE_DRIVER with what it printed when it does not start
 */
export async function openGateway(
  engine: EngineClient,
  o: { readonly place: Place; readonly stateDir: string; readonly onGone: () => void },
): Promise<Gateway> {
  const folder = gatewayFolder(o.stateDir)
  const source = keeperSource()
  const keeper = createHash('sha256').update(source).digest('hex').slice(0, 16)
  const socketPath = join(folder, 'keeper.sock')
  const connect = () => connectKeeper({ socketPath, onExit: () => undefined, onGone: o.onGone })
  const name = nameOf(o.place, 'gateway')
  const found = parseContainer(await engine.ask('GET', `/containers/${name}/json`).catch(() => undefined))
  if (found?.isRunning && found.labels[LABELS.keeper] === keeper) {
    const client = await connect().catch(() => undefined)
    if (client !== undefined) return { keeper: client, place: o.place }
  }
  if (found !== undefined) await engine.ask('DELETE', `/containers/${name}?force=1&v=1`)
  rmSync(socketPath, { force: true })
  const program = join(folder, 'keeper.mjs')
  writeFileSync(program, source)
  const words = [process.execPath, '--max-old-space-size=128', '--max-semi-space-size=1', program, socketPath]
  const place = await startFirst(engine, o.place, name, (at) => gatewayBody(at, { folder, keeper, program: words }))
  for (let turn = 0; turn < 400; turn++) {
    const client = await connect().catch(() => undefined)
    if (client !== undefined) return { keeper: client, place }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const printed = await engine.ask('GET', `/containers/${name}/logs?stdout=1&stderr=1&tail=5`).catch(describeError)
  throw new SluiceError('NODE_DRIVER', `the gateway of the pods does not answer: ${String(printed)}`, {
    retry: 'backoff',
  })
}

/** The first container of the node. Where the engine may not set its own limits, it gets those of this process; and so do all later ones. */
async function startFirst(
  engine: EngineClient,
  place: Place,
  name: string,
  bodyOf: (place: Place) => object,
): Promise<Place> {
  const start = async (at: Place): Promise<void> => {
    await engine.ask('POST', `/containers/create?name=${name}`, bodyOf(at))
    await engine.ask('POST', `/containers/${name}/start`)
  }
  try {
    await start(place)
    return place
  } catch (error) {
    await engine.ask('DELETE', `/containers/${name}?force=1&v=1`).catch(() => undefined)
    if (!/rlimit/i.test(describeError(error))) throw error
    const limited = { ...place, ulimits: ownUlimits() }
    await start(limited)
    return limited
  }
}

/** A folder with a path short enough for a socket, for this user alone. */
function gatewayFolder(stateDir: string): string {
  const near = join(stateDir, 'gateway')
  if (near.length >= 80) return nearFolder('sluice-gateway', stateDir)
  mkdirSync(near, { recursive: true, mode: 0o700 })
  return near
}
