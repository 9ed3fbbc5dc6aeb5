import { mkdirSync } from 'node:fs'
import type { EngineClient } from '../../../adapters/container-engine/client.ts'
import { parseContainer, textsOf, type EngineContainer } from '../../../adapters/container-engine/container.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { removeTreeSync } from '../../../machine/remove-tree.ts'
import type { DriverEvents, PodId, Sandbox, SandboxSpec } from '../driver.ts'
import type { KeeperClient } from '../keeper/client.ts'
import { podFolder } from '../pod-folder.ts'
import { LABELS, nameOf, sandboxBody, type Place } from './bodies.ts'

/** The parts of the driver. */
export type Engine = {
  readonly client: EngineClient
  readonly keeper: KeeperClient
  readonly place: Place
  readonly stateDir: string
  readonly events: DriverEvents
  /** What the engine has of this node, by its id there. */
  readonly known: Map<string, EngineContainer>
  readonly routes: Set<string>
  isClosed: boolean
}

/** Makes the container that holds the network of a pod. What a failure leaves of it goes; the folder stays: volumes of a pod that ran before are in it. @throws SluiceError NODE_DRIVER */
export async function createSandbox(engine: Engine, pod: PodId, spec: SandboxSpec): Promise<Sandbox> {
  const { client, place } = engine
  const name = nameOf(place, pod.uid)
  mkdirSync(podFolder(engine.stateDir, pod.uid), { recursive: true, mode: 0o755 })
  // one that stopped, as all do when the machine or the engine starts anew, has the name still
  await client.ask('DELETE', `/containers/${name}?force=1&v=1`).catch(() => undefined)
  try {
    await client.ask('POST', `/containers/create?name=${name}`, sandboxBody(place, pod, spec))
    await client.ask('POST', `/containers/${name}/start`)
    await look(engine, name)
    const sandbox = sandboxesOf(engine).find(({ uid }) => uid === pod.uid)
    if (sandbox !== undefined) return sandbox
    throw new SluiceError('NODE_DRIVER', "the container of the pod's network has no address", { retry: 'backoff' })
  } catch (error) {
    await endPod(engine, pod.uid).catch(() => undefined)
    throw error
  }
}

/** Asks the engine for one container and keeps what it says. */
export async function look({ client, known }: Engine, name: string): Promise<EngineContainer | undefined> {
  const found = parseContainer(await client.ask('GET', `/containers/${name}/json`).catch(() => undefined))
  if (found !== undefined) known.set(found.id, found)
  return found
}

/** Asks the engine for all containers of this node. */
export async function refresh(engine: Engine): Promise<readonly EngineContainer[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`${LABELS.node}=${engine.place.node}`] }))
  const ids = textsOf(await engine.client.ask('GET', `/containers/json?all=1&filters=${filters}`), 'Id')
  const found = await Promise.all(ids.map((id) => look(engine, id)))
  for (const id of engine.known.keys()) if (!ids.includes(id)) engine.known.delete(id)
  return found.flatMap((container) => container ?? [])
}

/** Ends all containers of a pod, and its network with them. */
async function endPod(engine: Engine, uid: string): Promise<void> {
  const mine = (await refresh(engine)).filter(({ labels }) => labels[LABELS.uid] === uid)
  // the one that holds the network goes last
  const inOrder = mine.sort(
    (a, b) => Number(a.labels[LABELS.kind] === 'sandbox') - Number(b.labels[LABELS.kind] === 'sandbox'),
  )
  for (const { id } of inOrder) {
    await engine.client.ask('DELETE', `/containers/${id}?force=1&v=1`)
    engine.known.delete(id)
  }
}

/** Ends a pod that does not come back: what its volumes hold goes as well. */
export async function removePod(engine: Engine, uid: string): Promise<void> {
  await endPod(engine, uid)
  removeTreeSync(podFolder(engine.stateDir, uid))
}

/** The pods that have their network now. */
export function sandboxesOf({ known, place }: Engine): Sandbox[] {
  return [...known.values()].flatMap(({ labels, isRunning, addresses }) => {
    const uid = labels[LABELS.uid]
    const ip = addresses[place.network]
    return labels[LABELS.kind] === 'sandbox' && isRunning && uid !== undefined && ip ? [{ uid, ip }] : []
  })
}
