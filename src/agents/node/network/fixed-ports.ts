import { createServer, type Server, type Socket } from 'node:net'
import { tie } from './host-ports.ts'
import type { NodePort } from './node-ports.ts'

/** Ports of this machine that pods and Services ask for by number. */
export type FixedPorts = {
  /** Opens and closes listeners so that there is one for each; what cannot be opened is tried again the next time. */
  readonly set: (ports: readonly NodePort[]) => Promise<void>
  readonly close: () => Promise<void>
}

type Open = { readonly server: Server; readonly sockets: Set<Socket> }

/** @param failed told once of a port that cannot be opened, with the reason */
export function openFixedPorts(o: {
  readonly streamOf: (key: string) => Socket | undefined
  readonly failed: (port: NodePort, why: string) => void
}): FixedPorts {
  const opened = new Map<string, Open>()
  const told = new Set<string>()
  const open = async (name: string, port: NodePort): Promise<void> => {
    const sockets = new Set<Socket>()
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      tie(socket, o.streamOf(port.key), sockets),
    )
    const fault = port.why ?? (await listen(server, port))
    if (fault === undefined) {
      told.delete(name)
      opened.set(name, { server: server.unref(), sockets })
    } else if (!told.has(name)) {
      told.add(name)
      o.failed(port, fault)
    }
  }
  const shut = (name: string, { server, sockets }: Open): void => {
    server.close()
    for (const socket of sockets) socket.destroy()
    opened.delete(name)
  }
  return {
    async set(ports) {
      const wanted = new Map(ports.map((port) => [`${port.key} ${port.host}:${port.port}`, port]))
      for (const [name, each] of opened) if (!wanted.has(name)) shut(name, each)
      for (const name of told) if (!wanted.has(name)) told.delete(name)
      for (const [name, port] of wanted) if (!opened.has(name)) await open(name, port)
    },
    async close() {
      for (const [name, each] of opened) shut(name, each)
    },
  }
}

function listen(server: Server, { host, port }: NodePort): Promise<string | undefined> {
  return new Promise((resolve) => {
    const fail = (error: Error): void => resolve(error.message)
    server.once('error', fail)
    server.listen(port, host, 1024, () => {
      server.removeListener('error', fail)
      resolve(undefined)
    })
  })
}
