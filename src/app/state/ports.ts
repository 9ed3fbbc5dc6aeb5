import { createServer } from 'node:net'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { listenFault } from '../../machine/listen-fault.ts'
import { stablePorts } from '../../lib/net/stable-port.ts'
import type { StateFolder } from './state-folder.ts'

/** The listeners of `sluice up`. */
export const LISTENERS = ['git', 'registry', 'kube', 'page', 'artifacts', 'receiver'] as const
export type Listener = (typeof LISTENERS)[number]
export type Ports = Readonly<Record<Listener, number>>

const FILE = 'ports.json'

/**
 * The loopback ports of this state folder: chosen free at the first start and kept, so that URLs and clones stay valid over restarts.
 *
 * @throws SluiceError PORT_IN_USE when a kept or asked port is taken
 */
export async function choosePorts(folder: StateFolder, asked: Partial<Ports>): Promise<Ports> {
  const kept = folder.read(FILE)
  const ports: Record<Listener, number> = { git: 0, registry: 0, kube: 0, page: 0, artifacts: 0, receiver: 0 }
  for (const listener of LISTENERS) {
    const wanted = asked[listener] ?? keptPort(kept, listener) ?? 0
    ports[listener] = await freePort(wanted, listener, ports)
  }
  folder.write(FILE, ports)
  return ports
}

function keptPort(kept: unknown, listener: Listener): number | undefined {
  const port: unknown = typeof kept === 'object' && kept !== null ? Reflect.get(kept, listener) : undefined
  return typeof port === 'number' ? port : undefined
}

/** @param chosen the ports of the listeners before it; 0 for those behind it */
async function freePort(wanted: number, listener: Listener, chosen: Ports): Promise<number> {
  if (wanted === 0) return anyFreePort(Object.values(chosen))
  const other = LISTENERS.find((one) => chosen[one] === wanted)
  const port = other === undefined ? await tryListen(wanted) : undefined
  if (port !== undefined) return port
  const [by, first] =
    other === undefined ? ['another program', 'stop that program, or'] : [`the ${other} listener of this one`, '']
  throw new SluiceError('PORT_IN_USE', `port ${wanted} of the ${listener} listener is taken by ${by}`, {
    where: `127.0.0.1:${wanted}`,
    hint: `${first} choose another port with --${listener}-port (0 for a free one)`.trim(),
  })
}

async function anyFreePort(taken: readonly number[]): Promise<number> {
  for (const candidate of stablePorts(Math.random)) {
    const port = taken.includes(candidate) ? undefined : await tryListen(candidate)
    if (port !== undefined && !taken.includes(port)) return port
  }
  return anyFreePort(taken)
}

/** @throws SluiceError PORT_REFUSED: another one of the same kind would be refused, too */
function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (cause) => {
      const error = listenFault(`127.0.0.1:${port}`, cause)
      if (error instanceof SluiceError && error.code === 'PORT_REFUSED') reject(error)
      else resolve(undefined)
    })
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined))
    })
  })
}
