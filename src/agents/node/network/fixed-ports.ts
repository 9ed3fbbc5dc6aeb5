import { createServer, type Socket } from 'node:net'
import { openDatagramPort } from './datagram-port.ts'
import { tie } from './host-ports.ts'
import type { NodePort } from './node-ports.ts'

/** Ports of this machine that pods and Services ask for by number. */
export type FixedPorts = {
  /** Opens and closes listeners so that there is one for each; what cannot be opened is tried again the next time. */
  readonly set: (ports: readonly NodePort[]) => Promise<void>
  readonly close: () => Promise<void>
}

type StreamOf = () => Socket | undefined

/** @param failed told once of a port that cannot be opened, with the reason */
export function openFixedPorts(o: {
  readonly streamOf: (key: string) => Socket | undefined
  readonly failed: (port: NodePort, why: string) => void
}): FixedPorts {
  const opened = new Map<string, () => void>()
  const told = new Set<string>()
  const open = async (name: string, port: NodePort): Promise<void> => {
    const openPort = port.protocol === 'UDP' ? openDatagramPort : openStreamPort
    const close = port.why ?? (await openPort(port, () => o.streamOf(port.key)))
    if (typeof close !== 'string') {
      told.delete(name)
      opened.set(name, close)
    } else if (!told.has(name)) {
      told.add(name)
      o.failed(port, close)
    }
  }
  const shut = (name: string, close: () => void): void => {
    close()
    opened.delete(name)
  }
  return {
    async set(ports) {
      const wanted = new Map(ports.map((port) => [`${port.key} ${port.host}:${port.port}`, port]))
      for (const [name, close] of opened) if (!wanted.has(name)) shut(name, close)
      for (const name of told) if (!wanted.has(name)) told.delete(name)
      for (const [name, port] of wanted) if (!opened.has(name)) await open(name, port)
    },
    async close() {
      for (const [name, close] of opened) shut(name, close)
    },
  }
}

/** Opens a port for connections; answers what closes it and them, or why it cannot be opened. */
function openStreamPort({ host, port }: NodePort, streamOf: StreamOf): Promise<(() => void) | string> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => tie(socket, streamOf(), sockets))
  return new Promise((resolve) => {
    const fail = (error: Error): void => resolve(error.message)
    server.once('error', fail)
    server.listen(port, host, 1024, () => {
      server.removeListener('error', fail)
      server.unref()
      resolve(() => {
        server.close()
        for (const socket of sockets) socket.destroy()
      })
    })
  })
}
