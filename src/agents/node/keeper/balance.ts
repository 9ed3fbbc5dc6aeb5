import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ServicePortTable, Target } from './messages.ts'

/** Carries connections to the pods behind Services. */
export type Balancer = {
  readonly setPorts: (ports: readonly ServicePortTable[]) => void
  /** Serves a connection that was made to a Service; `key` is `namespace/name:port`. */
  readonly serve: (key: string, socket: Duplex) => void
  /** Sends nothing more to a pod; resolves when its requests and connections ended, or after `timeoutMs`. */
  readonly drain: (host: string, timeoutMs: number) => Promise<void>
}

type State = {
  readonly net: typeof import('node:net')
  readonly http: typeof import('node:http')
  readonly agent: import('node:http').Agent
  readonly ports: Map<string, ServicePortTable>
  readonly turns: Map<string, number>
  readonly drained: Set<string>
  /** Where a client stays, by Service and client; the one that came last at the end. */
  readonly stays: Map<string, { readonly target: Target; readonly untilMs: number }>
  /** Requests and connections under way, by pod address. */
  readonly busy: Map<string, number>
  /** Who waits for a pod to become ready. */
  readonly waiting: Set<() => void>
}

/** Where connections to a Service come in; an address may become another Service's. */
type Listener = { readonly server: import('node:net').Server; key: string }

type Picked = { readonly target: Target; readonly done: () => void }

/**
 * Balances connections over ready pods: HTTP/1 request by request, anything else connection by connection. A fault before anything was sent
 * goes to another pod; a Service without a ready pod is waited for, 5 s at most.
 * Runs inside the keeper: uses nothing of this module's surroundings but its own functions.
 */
export function makeBalancer(): Balancer {
  const http = process.getBuiltinModule('node:http')
  const net = process.getBuiltinModule('node:net')
  const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 64, scheduling: 'lifo' })
  const state: State = {
    net,
    http,
    agent,
    ports: new Map(),
    turns: new Map(),
    drained: new Set(),
    stays: new Map(),
    busy: new Map(),
    waiting: new Set(),
  }
  const listeners = new Map<string, Listener>()
  const keys = new WeakMap<object, string>()
  const server = http.createServer({ keepAliveTimeout: 60_000, requestTimeout: 0, headersTimeout: 60_000 })
  server.on('request', (request, response) => void forward(state, keys.get(request.socket) ?? '', request, response))
  server.on('upgrade', (request, socket, head) => {
    const lines = [`${request.method} ${request.url} HTTP/1.1`]
    for (let i = 0; i < request.rawHeaders.length; i += 2)
      lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`)
    void splice(
      state,
      keys.get(request.socket) ?? '',
      socket,
      Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), head]),
    )
  })
  server.on('clientError', (_error, socket) => socket.destroy())
  const serve = (key: string, socket: Duplex): void => {
    keys.set(socket, key)
    sniff(
      socket,
      () => {
        server.emit('connection', socket)
        process.nextTick(() => socket.resume())
      },
      (first) => void splice(state, key, socket, first),
    )
  }
  return {
    serve,
    setPorts(ports) {
      state.ports.clear()
      for (const port of ports) state.ports.set(port.key, port)
      const present = new Set(ports.flatMap((port) => [...port.ready, ...port.serving].map((target) => target.host)))
      for (const host of state.drained) if (!present.has(host)) state.drained.delete(host)
      listen(net, listeners, ports, serve)
      for (const key of state.turns.keys()) if (!state.ports.has(key)) state.turns.delete(key)
      for (const wake of [...state.waiting]) wake()
    },
    drain: (host, timeoutMs) => drainHost(state, host, timeoutMs),
  }
}

function listen(
  net: typeof import('node:net'),
  listeners: Map<string, Listener>,
  ports: readonly ServicePortTable[],
  serve: (key: string, socket: Duplex) => void,
): void {
  const wanted = new Map<string, { readonly key: string; readonly at: Target }>(
    ports.flatMap(({ key, listen: at }) => (at ? [[`${at.host}:${at.port}`, { key, at }] as const] : [])),
  )
  for (const [name, { server }] of listeners) {
    if (wanted.has(name)) continue
    server.close()
    listeners.delete(name)
  }
  for (const [name, { key, at }] of wanted) {
    const present = listeners.get(name)
    if (present !== undefined) {
      present.key = key
      continue
    }
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => serve(listener.key, socket))
    const listener: Listener = { server, key }
    server.on('error', () => listeners.delete(name))
    server.listen(at.port, at.host, 1024)
    listeners.set(name, listener)
  }
}

/** Looks at the first bytes: HTTP/1, or anything else (also those who wait for the server to speak first). */
function sniff(socket: Duplex, onHttp: () => void, onOther: (first: Buffer) => void): void {
  const early = (): void => void socket.destroy()
  const seen = (first: Buffer): void => {
    clearTimeout(timer)
    socket.removeListener('error', early)
    socket.removeListener('data', seen)
    socket.removeListener('end', early)
    socket.pause()
    if (!/^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE) /.test(first.toString('latin1', 0, 8))) return onOther(first)
    socket.unshift(first)
    onHttp()
  }
  const timer = setTimeout(() => seen(Buffer.alloc(0)), 300)
  socket.on('error', early)
  socket.on('data', seen)
  socket.on('end', early)
  socket.resume()
}

/** The next pod in turn; undefined after 5 s without any. */
async function pick(
  state: State,
  key: string,
  client: string,
  tried: ReadonlySet<Target>,
): Promise<Picked | undefined> {
  const until = performance.now() + 5_000
  for (;;) {
    const port = state.ports.get(key)
    const open = (targets: readonly Target[] = []): Target[] =>
      targets.filter((target) => !tried.has(target) && !state.drained.has(target.host))
    const fresh = open(port?.ready)
    const candidates = fresh.length > 0 ? fresh : open(port?.serving)
    const turn = (state.turns.get(key) ?? 0) + 1
    const target = stay(state, port, client, candidates) ?? candidates[turn % Math.max(candidates.length, 1)]
    if (target !== undefined) {
      state.turns.set(key, turn)
      keepStay(state, port, client, target)
      state.busy.set(target.host, (state.busy.get(target.host) ?? 0) + 1)
      let isOver = false
      const done = (): void => {
        if (isOver) return
        isOver = true
        const left = (state.busy.get(target.host) ?? 1) - 1
        if (left > 0) state.busy.set(target.host, left)
        else state.busy.delete(target.host)
      }
      return { target, done }
    }
    if (performance.now() >= until || port === undefined) return undefined
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        state.waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, until - performance.now())
      state.waiting.add(wake)
    })
  }
}

/** The pod that a client stays with, as long as it may be chosen at all. */
function stay(
  { stays }: State,
  port: ServicePortTable | undefined,
  client: string,
  candidates: readonly Target[],
): Target | undefined {
  const found = port?.affinityMs === undefined ? undefined : stays.get(`${port.key} ${client}`)
  if (found === undefined || found.untilMs < performance.now()) return undefined
  return candidates.find(({ host, port: number }) => host === found.target.host && number === found.target.port)
}

function keepStay({ stays }: State, port: ServicePortTable | undefined, client: string, target: Target): void {
  if (port?.affinityMs === undefined) return
  const name = `${port.key} ${client}`
  stays.delete(name)
  stays.set(name, { target, untilMs: performance.now() + port.affinityMs })
  const [oldest] = stays.keys()
  if (stays.size > 10_000 && oldest !== undefined) stays.delete(oldest)
}

async function forward(state: State, key: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const tried = new Set<Target>()
  let isAgain = false
  for (let attempt = 0; attempt < 6; attempt++) {
    const picked = await pick(state, key, clientOf(request.socket), tried)
    if (response.destroyed) return picked?.done()
    if (picked === undefined) break
    const next = await attemptRequest(state, picked, request, response, isAgain)
    picked.done()
    if (next === 'done') return
    isAgain = next === 'again'
    if (!isAgain) tried.add(picked.target)
  }
  if (response.headersSent) return void response.destroy()
  response.writeHead(503, { 'content-type': 'text/plain' }).end(`no ready pod behind Service ${key}\n`)
}

/** What a try came to: nothing was sent; an idle connection had just been closed and the request may arrive twice; all else. */
type Tried = 'elsewhere' | 'again' | 'done'

/** One try. `isAgain`: on a connection of its own, for others that are idle may be closed, too. */
function attemptRequest(
  state: State,
  { target }: Picked,
  request: IncomingMessage,
  response: ServerResponse,
  isAgain: boolean,
): Promise<Tried> {
  return new Promise((resolve) => {
    const { method, url: path } = request
    const headers: Record<string, string | string[] | undefined> = { ...request.headers }
    for (const name of ['connection', 'keep-alive', 'proxy-connection', 'upgrade']) delete headers[name]
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
    const isRepeatable = method !== 'POST' && method !== 'PATCH'
    let isSent = false
    let answer: IncomingMessage | undefined
    const agent = isAgain ? false : state.agent
    const upstream = state.http.request({ ...target, method, path, headers, agent, setHost: false })
    const timer = setTimeout(() => !isSent && upstream.destroy(new Error('connect timeout')), 2_000)
    const send = (): void => {
      isSent = true
      clearTimeout(timer)
      if (hasBody) request.pipe(upstream)
      else upstream.end()
    }
    upstream.on('socket', (socket) => (socket.connecting ? socket.once('connect', send) : send()))
    upstream.on('response', (incoming) => {
      answer = incoming
      const { connection, 'keep-alive': _, ...kept } = incoming.headers
      response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, kept)
      incoming.pipe(response)
      incoming.on('error', () => response.destroy())
    })
    upstream.on('error', () => {
      clearTimeout(timer)
      if (answer !== undefined) return
      if (response.destroyed) return resolve('done')
      if (!isSent) return resolve('elsewhere')
      if (upstream.reusedSocket && isRepeatable && !hasBody) return resolve('again')
      if (!response.headersSent)
        response.writeHead(502, { 'content-type': 'text/plain' }).end('the pod closed the connection\n')
      resolve('done')
    })
    response.on('close', () => {
      clearTimeout(timer)
      if (!response.writableFinished) upstream.destroy()
      if (answer !== undefined || response.destroyed) resolve('done')
    })
  })
}

/** Address of who is connected; all who come through the server are this machine. */
function clientOf(socket: object): string {
  return 'remoteAddress' in socket && typeof socket.remoteAddress === 'string' ? socket.remoteAddress : 'host'
}

/** Ties a connection to a pod, byte for byte. */
async function splice(state: State, key: string, socket: Duplex, first: Buffer): Promise<void> {
  socket.on('error', () => socket.destroy())
  const tried = new Set<Target>()
  for (let attempt = 0; attempt < 6; attempt++) {
    const picked = await pick(state, key, clientOf(socket), tried)
    if (picked === undefined || socket.destroyed) {
      picked?.done()
      break
    }
    const upstream = await new Promise<import('node:net').Socket | undefined>((resolve) => {
      const trial = state.net.connect({ ...picked.target, allowHalfOpen: true, noDelay: true })
      const timer = setTimeout(() => trial.destroy(new Error('connect timeout')), 2_000)
      trial.once('connect', () => {
        clearTimeout(timer)
        resolve(trial)
      })
      trial.on('error', () => {
        clearTimeout(timer)
        resolve(undefined)
      })
    })
    if (socket.destroyed) {
      upstream?.destroy()
      return picked.done()
    }
    if (upstream === undefined) {
      picked.done()
      tried.add(picked.target)
      continue
    }
    upstream.on('close', () => {
      picked.done()
      socket.destroy()
    })
    socket.on('close', () => upstream.destroy())
    if (first.length > 0) upstream.write(first)
    socket.pipe(upstream)
    upstream.pipe(socket)
    return
  }
  socket.destroy()
}

async function drainHost(state: State, host: string, timeoutMs: number): Promise<void> {
  state.drained.add(host)
  const until = performance.now() + timeoutMs
  while ((state.busy.get(host) ?? 0) > 0 && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 20))
  state.busy.delete(host)
  for (const [name, sockets] of Object.entries(state.agent.freeSockets))
    if (name.startsWith(`${host}:`)) for (const socket of [...(sockets ?? [])]) socket.destroy()
}

/** The functions that travel to the keeper; the first is the entrance. */
export const BALANCE_PARTS = [
  makeBalancer,
  listen,
  sniff,
  pick,
  stay,
  keepStay,
  forward,
  attemptRequest,
  clientOf,
  splice,
  drainHost,
]
