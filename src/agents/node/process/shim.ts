/** What the shim reads from the environment of a Node program. */
export const SHIM_ENV = { ip: 'SLUICE_POD_IP', namespace: 'SLUICE_POD_NAMESPACE', names: 'SLUICE_NAMES_FILE' } as const

/** Where a name of the cluster is reached on this machine: `names[name]` is an address, with the ports that are elsewhere. */
export type LoopbackNames = Readonly<
  Record<string, { readonly host: string; readonly ports: Readonly<Record<string, number>> }>
>

/**
 * A file for `node --require`: what a Node program listens on becomes its pod's own loopback address, and names of Services become
 * the addresses that the balancer listens on. So replicas share a port without a network of their own.
 */
export function renderShim(): string {
  return `'use strict'
// written by sluice at start; do not edit
const __name = (value) => value
;(${shim})(${JSON.stringify(SHIM_ENV)})
`
}

/** Runs inside the pod's program: uses nothing of this module's surroundings. */
function shim(keys: typeof SHIM_ENV): void {
  const net = process.getBuiltinModule('node:net')
  const fs = process.getBuiltinModule('node:fs')
  const { [keys.ip]: ip, [keys.namespace]: namespace, [keys.names]: file } = process.env
  if (ip === undefined || file === undefined) return
  type Words = { host?: unknown; port?: unknown; path?: unknown }
  const isWords = (value: unknown): value is Words => typeof value === 'object' && value !== null
  const isPort = (value: unknown): boolean => value !== undefined && value !== null && /^\d+$/.test(String(value))
  const isOwn = (host: unknown): boolean =>
    host === undefined || host === null || ['', 'localhost', '127.0.0.1', '::1', '[::1]'].includes(String(host))
  const lookUp = (host: string): LoopbackNames[string] | undefined => {
    const plain = host.toLowerCase().replace(/\.$/, '')
    try {
      const names: LoopbackNames = JSON.parse(fs.readFileSync(file, 'utf8'))
      const tries = ['', `.${namespace}.svc.cluster.local`, '.svc.cluster.local', '.cluster.local']
      const found = tries.find((end) => names[plain + end] !== undefined)
      return found === undefined ? undefined : names[plain + found]
    } catch {
      return undefined
    }
  }
  const connected = (words: Words): Words => {
    if (!isPort(words.port) || (words.path !== undefined && words.path !== null)) return words
    if (isOwn(words.host)) return { ...words, host: ip }
    const found = lookUp(String(words.host))
    return found ? { ...words, host: found.host, port: found.ports[String(words.port)] ?? words.port } : words
  }
  const server: { listen(...words: unknown[]): unknown } = net.Server.prototype
  const { listen } = server
  server.listen = function (this: unknown, ...words: unknown[]): unknown {
    const [first, second, ...rest] = words
    if (isWords(first) && isPort(first.port)) return listen.call(this, { ...first, host: ip }, ...words.slice(1))
    if (!isPort(first)) return listen.apply(this, words)
    return typeof second === 'string'
      ? listen.call(this, first, ip, ...rest)
      : listen.call(this, first, ip, ...words.slice(1))
  }
  const socket: { connect(...words: unknown[]): unknown } = net.Socket.prototype
  const { connect } = socket
  socket.connect = function (this: unknown, ...words: unknown[]): unknown {
    const [first, second, ...rest] = words
    // net.connect hands on one array, which it knows again by a symbol on it
    if (Array.isArray(first)) {
      if (isWords(first[0])) first[0] = connected(first[0])
      return connect.apply(this, words)
    }
    if (isWords(first)) return connect.call(this, connected(first), ...words.slice(1))
    if (!isPort(first)) return connect.apply(this, words)
    const host = typeof second === 'string' ? second : undefined
    return connect.call(this, connected({ port: first, host }), ...(host === undefined ? words.slice(1) : rest))
  }
}
