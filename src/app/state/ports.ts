import { createServer, type Server } from 'node:net'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { closeServer } from '../../machine/close-server.ts'
import { listenFault } from '../../machine/listen-fault.ts'
import { SERVER_PORTS, stablePorts } from '../../lib/net/stable-port.ts'
import type { StateFolder } from './state-folder.ts'

/** The listeners of `sluice up`. */
export const LISTENERS = ['git', 'registry', 'kube', 'page', 'artifacts', 'receiver'] as const
export type Listener = (typeof LISTENERS)[number]
export type Ports = Readonly<Record<Listener, number>>

const FILE = 'ports.json'

/** The ports of this state folder, those that nobody knew before held until their listener comes. */
export type ChosenPorts = {
  readonly ports: Ports
  /** The port of a listener that is about to listen: from now on it is not held. */
  readonly take: (listener: Listener) => Promise<number>
  /** Lets go of those that were not taken. */
  readonly close: () => Promise<void>
}

/**
 * Chooses the loopback ports of this state folder: free ones at the first start, kept then, so that URLs and clones stay valid over restarts.
 *
 * The last listener comes seconds after the first; another program may choose the same free port meanwhile, so it is held.
 * @throws SluiceError PORT_IN_USE when a kept or asked port is taken
 */
export async function choosePorts(folder: StateFolder, asked: Partial<Ports>): Promise<ChosenPorts> {
  const kept = folder.read(FILE)
  const ports: Record<Listener, number> = { git: 0, registry: 0, kube: 0, page: 0, artifacts: 0, receiver: 0 }
  const held = new Map<Listener, Server>()
  const letGo = async (listener: Listener): Promise<void> => {
    const server = held.get(listener)
    held.delete(listener)
    if (server !== undefined) await closeServer(server)
  }
  const close = async (): Promise<void> => void (await Promise.all(LISTENERS.map(letGo)))
  try {
    for (const listener of LISTENERS) {
      const wanted = asked[listener] ?? keptPort(kept, listener) ?? 0
      if (wanted === 0) {
        const server = await holdFreePort()
        held.set(listener, server)
        ports[listener] = portOf(server)
      } else {
        await checkFree(wanted, listener, ports)
        ports[listener] = wanted
      }
    }
    folder.write(FILE, ports)
  } catch (error) {
    await close()
    throw error
  }
  return { ports, take: async (listener) => letGo(listener).then(() => ports[listener]), close }
}

function keptPort(kept: unknown, listener: Listener): number | undefined {
  const port: unknown = typeof kept === 'object' && kept !== null ? Reflect.get(kept, listener) : undefined
  return typeof port === 'number' ? port : undefined
}

/** @param chosen the ports of the listeners before it; 0 for those behind it */
async function checkFree(wanted: number, listener: Listener, chosen: Ports): Promise<void> {
  const other = LISTENERS.find((one) => chosen[one] === wanted)
  const server = other === undefined ? await tryListen(wanted) : undefined
  if (server !== undefined) return closeServer(server)
  const [by, first] =
    other === undefined ? ['another program', 'stop that program, or'] : [`the ${other} listener of this one`, '']
  throw new SluiceError('PORT_IN_USE', `port ${wanted} of the ${listener} listener is taken by ${by}`, {
    where: `127.0.0.1:${wanted}`,
    hint: `${first} choose another port with --${listener}-port (0 for a free one)`.trim(),
  })
}

async function holdFreePort(): Promise<Server> {
  for (const candidate of stablePorts(SERVER_PORTS, Math.random)) {
    const server = await tryListen(candidate)
    if (server !== undefined) return server
  }
  return holdFreePort()
}

/** @throws SluiceError PORT_REFUSED: another one of the same kind would be refused, too */
function tryListen(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((stranger) => stranger.destroy())
    server.once('error', (cause) => {
      const error = listenFault(`127.0.0.1:${port}`, cause)
      if (error instanceof SluiceError && error.code === 'PORT_REFUSED') reject(error)
      else resolve(undefined)
    })
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
