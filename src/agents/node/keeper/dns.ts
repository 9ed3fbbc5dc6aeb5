import { sendDatagram } from './datagram.ts'

/** What a name leads to, besides addresses. */
export type DnsRecord =
  | { readonly type: 'SRV'; readonly port: number; readonly target: string }
  | { readonly type: 'CNAME' | 'PTR'; readonly target: string }

/** All names that exist, fully qualified and in lower case. */
export type DnsNames = {
  /** IPv4 addresses. */
  readonly names: Readonly<Record<string, readonly string[]>>
  readonly records?: Readonly<Record<string, readonly DnsRecord[]>>
}

/** Answers names of the cluster. */
export type DnsServer = { readonly setNames: (names: DnsNames) => void }

type Written = { readonly owner: string; readonly type: number; readonly data: Buffer }

/**
 * Serves the cluster's names on port 53 of `host`, by UDP and TCP: addresses, Services' ports, other names and names of addresses. Names elsewhere do not exist.
 * Runs inside the keeper: uses nothing of this module's surroundings but its own functions.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1035
 * @see https://github.com/kubernetes/dns/blob/master/docs/specification.md
 */
export function startDns(): DnsServer & { readonly listen: (host: string) => void } {
  const dgram = process.getBuiltinModule('node:dgram')
  const net = process.getBuiltinModule('node:net')
  let names: DnsNames = { names: {} }
  let socket: import('node:dgram').Socket | undefined
  return {
    setNames: (next) => void (names = next),
    listen(host) {
      if (socket !== undefined) return
      socket = dgram.createSocket('udp4', (query, from) => {
        const answer = answerDns(query, names, 512)
        if (answer && socket) sendDatagram(socket, answer, from)
      })
      socket.on('error', () => undefined)
      socket.bind(53, host)
      const server = net.createServer((connection) => converseDns(connection, () => names))
      server.maxConnections = 256
      server.on('error', () => undefined)
      server.listen(53, host)
    },
  }
}

/** Answers one connection's queries, each with its length before it; hangs up on who says or takes nothing for ten seconds, and what is no query. */
export function converseDns(connection: import('node:net').Socket, names: () => DnsNames): void {
  let waiting = Buffer.alloc(0)
  connection.setTimeout(10_000, () => connection.destroy())
  connection.on('error', () => undefined)
  connection.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk])
    let isTaken = true
    while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE(0)) {
      const length = waiting.readUInt16BE(0)
      const answer = answerDns(waiting.subarray(2, 2 + length), names(), 65_535)
      waiting = waiting.subarray(2 + length)
      if (answer === undefined) return void connection.destroy()
      const size = Buffer.alloc(2)
      size.writeUInt16BE(answer.length)
      isTaken = connection.write(Buffer.concat([size, answer]))
    }
    if (isTaken) return
    connection.pause()
    connection.once('drain', () => connection.resume())
  })
}

/** The answer to one query, of `most` bytes: a longer one says that it is cut, and is empty. Undefined for what is no query. */
export function answerDns(query: Buffer, names: DnsNames, most: number): Buffer | undefined {
  if (query.length < 17 || (query.readUInt8(2) & 0x80) !== 0 || query.readUInt16BE(4) !== 1) return undefined
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    if (length > 63 || at + length + 5 > query.length) return undefined
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  if (at + 5 > query.length) return undefined
  const found = findDns(labels.join('.').toLowerCase(), query.readUInt16BE(at + 1), names)
  const body = [...found.answers, ...found.more].map(writeDns)
  const isCut = at + 5 + body.reduce((sum, record) => sum + record.length, 0) > most
  const head = Buffer.alloc(12)
  query.copy(head, 0, 0, 2)
  const flags = 0x8480 | (query.readUInt16BE(2) & 0x0100) | (isCut ? 0x0200 : 0) | (found.exists ? 0 : 3)
  head.writeUInt16BE(flags, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(isCut ? 0 : found.answers.length, 6)
  head.writeUInt16BE(isCut ? 0 : found.more.length, 10)
  return Buffer.concat([head, query.subarray(12, at + 5), ...(isCut ? [] : body)])
}

/** The records of a type (255: of any) that a name has; another name's addresses with it, those of Services' ports apart. */
function findDns(
  name: string,
  type: number,
  { names, records = {} }: DnsNames,
): { readonly exists: boolean; readonly answers: readonly Written[]; readonly more: readonly Written[] } {
  const pod = /^(\d+)-(\d+)-(\d+)-(\d+)\.[^.]+\.pod\.cluster\.local$/.exec(name)?.slice(1)
  const own = entryOf(names, name) ?? (pod?.every((part) => Number(part) < 256) ? [pod.join('.')] : undefined)
  const other = entryOf(records, name)
  const wants = (kind: number): boolean => type === kind || type === 255
  const addresses = (owner: string, list: readonly string[] = []): Written[] =>
    list.slice(0, 24).map((address) => ({ owner, type: 1, data: Buffer.from(address.split('.').map(Number)) }))
  const answers = wants(1) ? addresses(name, own) : []
  const more: Written[] = []
  for (const record of (other ?? []).slice(0, 64)) {
    if (record.type === 'SRV' && wants(33)) {
      const data = Buffer.from([0, 0, 0, 100, record.port >> 8, record.port & 255])
      answers.push({ owner: name, type: 33, data: Buffer.concat([data, nameDns(record.target)]) })
      more.push(...addresses(record.target, entryOf(names, record.target)))
    } else if (record.type === 'PTR' && wants(12)) {
      answers.push({ owner: name, type: 12, data: nameDns(record.target) })
    } else if (record.type === 'CNAME') {
      answers.push({ owner: name, type: 5, data: nameDns(record.target) })
      if (wants(1)) answers.push(...addresses(record.target, entryOf(names, record.target)))
    }
  }
  return { exists: own !== undefined || other !== undefined, answers, more }
}

/** What stands under a name that anybody may have chosen: it may be that of a property which every object has. */
function entryOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

function writeDns({ owner, type, data }: Written): Buffer {
  return Buffer.concat([
    nameDns(owner),
    Buffer.from([0, type, 0, 1, 0, 0, 0, 2, data.length >> 8, data.length & 255]),
    data,
  ])
}

function nameDns(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([
    ...labels.flatMap((label) => [
      Buffer.from([Math.min(label.length, 63)]),
      Buffer.from(label.slice(0, 63), 'latin1'),
    ]),
    Buffer.from([0]),
  ])
}

/** The functions that travel to the keeper; the first is the entrance. */
export const DNS_PARTS = [startDns, sendDatagram, converseDns, answerDns, findDns, entryOf, writeDns, nameDns]
