import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { SERVICE_PORTS, stablePorts } from '../../../lib/net/stable-port.ts'
import { closeServer } from '../../../machine/close-server.ts'

/** Loopback ports of the host, one a Service port. */
export type HostPorts = {
  /** Opens and closes listeners so that there is one a key. */
  readonly set: (keys: readonly string[]) => Promise<void>
  readonly portOf: (key: string) => number | undefined
  readonly close: () => Promise<void>
}

/** Opens loopback ports for Services; the same Service gets the same port again after a restart, when it is free. */
export function openHostPorts(o: {
  readonly stateDir: string
  readonly streamOf: (key: string) => Socket | undefined
  readonly log: (line: string) => void
}): HostPorts {
  const file = join(o.stateDir, 'service-ports.json')
  const remembered = readPorts(file)
  const servers = new Map<string, Server>()
  const sockets = new Set<Socket>()
  const open = async (key: string): Promise<void> => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      tie(socket, o.streamOf(key), sockets),
    )
    servers.set(key, server)
    const port = await listenOn(server, remembered.get(key))
    if (port === undefined) return void servers.delete(key)
    server.unref()
    remembered.set(key, port)
  }
  return {
    async set(keys) {
      const wanted = new Set(keys)
      for (const [key, server] of servers) {
        if (wanted.has(key)) continue
        server.close()
        servers.delete(key)
      }
      const missing = keys.filter((key) => !servers.has(key))
      if (missing.length === 0) return
      await Promise.all(missing.map(open))
      try {
        writeFileSync(`${file}.next`, JSON.stringify(Object.fromEntries(remembered)))
        renameSync(`${file}.next`, file)
      } catch (error) {
        o.log(`node: ports of Services not remembered: ${error instanceof Error ? error.message : String(error)}`)
      }
    },
    portOf: (key) => (servers.get(key)?.listening ? remembered.get(key) : undefined),
    async close() {
      for (const socket of sockets) socket.destroy()
      await Promise.all([...servers.values()].map(closeServer))
      servers.clear()
    },
  }
}

/** Ties a connection to a stream, each of which ends with the other; `open` has it as long as it lasts. */
export function tie(socket: Socket, stream: Socket | undefined, open: Set<Socket>): void {
  socket.on('error', () => socket.destroy())
  if (stream === undefined) return void socket.destroy()
  open.add(socket)
  stream.on('error', () => socket.destroy())
  stream.on('close', () => socket.destroy())
  socket.on('close', () => {
    open.delete(socket)
    stream.destroy()
  })
  socket.pipe(stream)
  stream.pipe(socket)
}

async function listenOn(server: Server, remembered: number | undefined): Promise<number | undefined> {
  const fresh = stablePorts(SERVICE_PORTS, Math.random)
  for (const wanted of remembered === undefined ? fresh : [remembered, ...fresh]) {
    const got = await new Promise<number | undefined>((resolve) => {
      const fail = (): void => resolve(undefined)
      server.once('error', fail)
      server.listen(wanted, '127.0.0.1', 1024, () => {
        server.removeListener('error', fail)
        const address = server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : undefined)
      })
    })
    if (got !== undefined) return got
  }
  return undefined
}

function readPorts(file: string): Map<string, number> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
    return new Map(entries.filter((entry): entry is [string, number] => Number.isInteger(entry[1])))
  } catch {
    return new Map()
  }
}
