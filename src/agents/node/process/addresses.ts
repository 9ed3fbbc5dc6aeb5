import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { SluiceError } from '../../../lib/error/sluice-error.ts'

/** The loopback addresses of a node: pods from the low end, Services from the high one. */
export type Addresses = {
  readonly pod: (uid: string) => string
  readonly keepPod: (uid: string, ip: string) => void
  readonly freePod: (uid: string) => void
  readonly service: (key: string) => string
  /** Where a Service's port is listened on: below 1024 an ordinary user has to go elsewhere. */
  readonly port: (port: number) => number
}

const SHIFT = 20_000

/**
 * Checks that this machine has loopback addresses besides 127.0.0.1.
 *
 * Addresses follow from the state folder, so that two nodes rarely meet: 253 pods and 253 Services a node.
 * @throws SluiceError NODE_DRIVER where it has not
 */
export async function openAddresses(stateDir: string): Promise<Addresses> {
  const [high = 0, low = 0] = createHash('sha256').update(stateDir).digest()
  const pods = `127.${64 + (high % 64)}.${low}`
  const services = `127.${128 + (high % 64)}.${low}`
  if (!(await canListen(`${pods}.1`, 0)))
    throw new SluiceError('NODE_DRIVER', `this machine does not listen on ${pods}.1, which is where pods would be`, {
      hint: 'only Linux has all of 127.0.0.0/8 by itself',
    })
  const isPrivileged = await canListen(`${pods}.1`, 1)
  const podIps = new Map<string, string>()
  const serviceIps = new Map<string, string>()
  return {
    pod: (uid) => take(podIps, uid, pods),
    keepPod: (uid, ip) => void podIps.set(uid, ip),
    freePod: (uid) => void podIps.delete(uid),
    service: (key) => take(serviceIps, key, services),
    port: (port) => (port < 1024 && !isPrivileged ? SHIFT + port : port),
  }
}

function take(taken: Map<string, string>, key: string, network: string): string {
  const own = taken.get(key)
  if (own !== undefined) return own
  const used = new Set(taken.values())
  for (let octet = 2; octet < 255; octet++) {
    const ip = `${network}.${octet}`
    if (used.has(ip)) continue
    taken.set(key, ip)
    return ip
  }
  throw new SluiceError('NODE_DRIVER', `every address of ${network}.0/24 is taken`, { retry: 'backoff' })
}

function canListen(host: string, port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
