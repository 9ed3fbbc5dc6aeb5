import type { Server } from 'node:http'

/** Ends a server with the connections that it counts as its own; those that were upgraded it knows no more. */
export function closeServer(server: Pick<Server, 'close' | 'closeAllConnections'>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
