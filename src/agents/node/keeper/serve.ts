import type { Socket } from 'node:net'
import type { Balancer } from './balance.ts'
import type { startDns } from './dns.ts'
import type { greet } from './greet.ts'
import type { openLog } from './log.ts'
import type { NetworkTable, Question } from './messages.ts'
import type { makeRemotes, Remotes } from './remote.ts'
import type { makeSupervisor, Supervisor } from './supervise.ts'
import type { DatagramBalancer } from './udp.ts'
import type { Terminals } from './terminal.ts'

/** What the keeper is made of. */
export type KeeperParts = {
  readonly openLog: typeof openLog
  readonly makeSupervisor: typeof makeSupervisor
  readonly makeBalancer: () => Balancer
  readonly makeDatagramBalancer: () => DatagramBalancer
  readonly startDns: typeof startDns
  readonly greet: typeof greet
  readonly makeTerminals: () => Terminals
  readonly makeRemotes: typeof makeRemotes
}

type Keeper = {
  readonly greet: typeof greet
  readonly supervisor: Supervisor
  readonly terminals: Terminals
  readonly remotes: Remotes
  readonly balancer: Balancer
  readonly datagrams: DatagramBalancer
  readonly dns: ReturnType<typeof startDns>
  readonly net: typeof import('node:net')
}

/**
 * The keeper: a small process that outlives the server, holds the node's namespaces, runs the containers and carries their network.
 * Serves a unix socket. The first line of a connection says what it is: control, a stream to a pod or to a Service, a process to start or one of its streams.
 * Its children die with it. Runs as the keeper itself: uses nothing of this module's surroundings but its own functions.
 */
export function serveKeeper(parts: KeeperParts, socketPath: string): void {
  const net = process.getBuiltinModule('node:net')
  const fs = process.getBuiltinModule('node:fs')
  const controls = new Set<Socket>()
  const supervisor = parts.makeSupervisor({
    openLog: parts.openLog,
    logLimitBytes: 10 * 1024 * 1024,
    onExit(kept) {
      for (const control of controls) control.write(`${JSON.stringify({ exited: kept })}\n`)
    },
  })
  const { greet } = parts
  const terminals = parts.makeTerminals()
  const keeper: Keeper = {
    supervisor,
    terminals,
    remotes: parts.makeRemotes(terminals),
    balancer: parts.makeBalancer(),
    datagrams: parts.makeDatagramBalancer(),
    dns: parts.startDns(),
    net,
    greet,
  }
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy())
    firstLine(socket, (line) => {
      const { control, stream, service, spawn, pipe } = JSON.parse(line)
      if (spawn) return keeper.remotes.spawn(spawn, socket)
      if (pipe) return typeof pipe.of === 'number' ? keeper.remotes.pipe(pipe, socket) : supervisor.attach(pipe, socket)
      if (service) return serviceOf(keeper, String(service)).serve(String(service), socket)
      if (stream) return streamTo(net, socket, { host: String(stream.host), port: Number(stream.port) })
      if (control !== true) return void socket.destroy()
      controls.add(socket)
      socket.on('close', () => controls.delete(socket))
      socket.on('end', () => socket.end())
      converse(keeper, socket)
    })
  })
  fs.rmSync(socketPath, { force: true })
  server.listen(socketPath, () => process.stdout.write('ready\n', () => process.stdout.destroy()))
  process.stdout.on('error', () => undefined)
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGPIPE']) process.on(signal, () => undefined)
  process.on('SIGTERM', () => process.exit(0))
  outliveFaults()
}

/** With the keeper every container would end: a fault of one connection is written to its log, once a second at most. */
function outliveFaults(): void {
  let toldAtMs = 0
  process.on('uncaughtException', (error) => {
    if (Date.now() - toldAtMs < 1_000) return
    toldAtMs = Date.now()
    process.stderr.write(`${new Date(toldAtMs).toISOString()} ${error.stack ?? error.message}\n`)
  })
}

/** Reads one line and leaves what follows in the stream. */
function firstLine(socket: Socket, onLine: (line: string) => void): void {
  let text = Buffer.alloc(0)
  const read = (chunk: Buffer): void => {
    text = Buffer.concat([text, chunk])
    const end = text.indexOf(10)
    // the words of a program may be as long as the system allows
    if (end < 0 && text.length < 4 * 1024 * 1024) return
    socket.removeListener('data', read)
    socket.pause()
    if (end < 0) return void socket.destroy()
    if (end + 1 < text.length) socket.unshift(text.subarray(end + 1))
    try {
      onLine(text.toString('utf8', 0, end))
    } catch {
      socket.destroy()
    }
  }
  socket.on('data', read)
}

function streamTo(net: typeof import('node:net'), socket: Socket, target: { host: string; port: number }): void {
  const upstream = net.connect({ ...target, allowHalfOpen: true, noDelay: true })
  let isOpen = false
  upstream.once('connect', () => {
    isOpen = true
    socket.write('+\n')
    socket.pipe(upstream)
    upstream.pipe(socket)
  })
  upstream.on('error', (error) => {
    if (isOpen) return void socket.destroy()
    socket.end(`-${error.message}\n`)
  })
  upstream.on('close', () => socket.end())
  socket.on('close', () => upstream.destroy())
}

function converse(keeper: Keeper, socket: Socket): void {
  let rest = ''
  const reply = (value: object): void => void (socket.writable && socket.write(`${JSON.stringify(value)}\n`))
  socket.setEncoding('utf8')
  socket.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const question: Question = JSON.parse(line)
      Promise.resolve()
        .then(() => answer(keeper, question))
        .then(
          (ok) => reply({ id: question.id, ok: ok ?? null }),
          (error) => reply({ id: question.id, error: String(error?.message ?? error) }),
        )
    }
  })
  socket.resume()
}

function answer(keeper: Keeper, question: Question): unknown {
  const { supervisor, terminals, balancer, dns, greet } = keeper
  switch (question.ask) {
    case 'run':
      return supervisor.run(question)
    case 'exec':
      return supervisor.exec(question)
    case 'signal':
      return supervisor.signal(question.key, question.signal, question.depth)
    case 'list':
      return supervisor.list()
    case 'forget':
      return supervisor.forget(question.key)
    case 'network':
      return setNetwork(keeper, question.table)
    case 'dns':
      return dns.listen(question.host)
    case 'greet':
      return greet(question.target, question.request, question.timeoutMs)
    case 'drain':
      return balancer.drain(question.host, question.timeoutMs)
    case 'resize': {
      const pid = supervisor.list().find(({ key, exit }) => key === question.key && !exit)?.pid
      return pid === undefined ? undefined : terminals.resize(pid, question.size)
    }
    case 'stop':
      for (const { key } of supervisor.list()) supervisor.signal(key, 'SIGKILL', 0)
      return void setTimeout(() => process.exit(0), 50)
  }
}

function setNetwork({ balancer, datagrams, dns }: Keeper, table: NetworkTable): void {
  balancer.setPorts(table.ports.filter(({ protocol }) => protocol !== 'UDP'))
  datagrams.setPorts(table.ports.filter(({ protocol }) => protocol === 'UDP'))
  dns.setNames(table)
}

/** Who carries what is said to a port of a Service: the stream of one for datagrams is of these. */
function serviceOf({ balancer, datagrams }: Keeper, key: string): Pick<Balancer, 'serve'> {
  return datagrams.has(key) ? datagrams : balancer
}

/** The functions that travel to the keeper; the first is the entrance. */
export const SERVE_PARTS = [serveKeeper, outliveFaults, firstLine, streamTo, converse, answer, setNetwork, serviceOf]
