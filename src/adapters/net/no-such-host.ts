import { getServers } from 'node:dns'
import { isIP } from 'node:net'

/** How Go says that a name has no address: it names the server that was asked, too. */
export function noSuchHost(hostname: string): string {
  const [server] = getServers()
  if (server === undefined) return `lookup ${hostname}: no such host`
  const plain = isIP(server) === 6 ? `[${server}]:53` : isIP(server) === 4 ? `${server}:53` : server
  return `lookup ${hostname} on ${plain}: no such host`
}
