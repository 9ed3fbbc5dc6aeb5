/**
 * Whether an address or name can be reached from this machine alone.
 *
 * Of names only `localhost` counts: `127.example.com` is somebody else's.
 */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}
