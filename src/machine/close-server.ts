import type { Server } from 'node:http'

type Closable = { readonly close: (closed: () => void) => void } & Partial<Pick<Server, 'closeAllConnections'>>

/** Ends a server with the connections that it counts as its own: of HTTP those that were not upgraded, of plain TCP none. */
export function closeServer(server: Closable): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections?.()
  })
}
