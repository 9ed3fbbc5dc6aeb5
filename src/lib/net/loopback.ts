/**
 * Whether an address or name can be reached from this machine alone.
 *
 * Of names only `localhost` counts: `127.example.com` is somebody else's.
 */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

/**
 * Whether a request to a loopback listener was meant for it, by its `Host` header.
 *
 * A web page whose own name leads here all of a sudden (DNS rebinding) asks as that name, and would read what is open to this machine.
 */
export function isForLoopback(host: string | undefined): boolean {
  const name = (host ?? '').toLowerCase().replace(/:\d*$/, '')
  return isLoopback(name.replace(/^\[(.*)\]$/, '$1')) || name.endsWith('.localhost')
}
