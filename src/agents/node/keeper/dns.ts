/** Answers names of the cluster. */
export type DnsServer = { readonly setNames: (names: Readonly<Record<string, readonly string[]>>) => void }

/**
 * Serves A records of the cluster's names over UDP on port 53 of `host`; names elsewhere do not exist.
 * Runs inside the keeper: uses nothing of this module's surroundings but its own functions.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1035
 */
export function startDns(): DnsServer & { readonly listen: (host: string) => void } {
  const dgram = process.getBuiltinModule('node:dgram')
  let names: Readonly<Record<string, readonly string[]>> = {}
  let socket: import('node:dgram').Socket | undefined
  return {
    setNames: (next) => void (names = next),
    listen(host) {
      if (socket !== undefined) return
      socket = dgram.createSocket('udp4', (query, from) => {
        const answer = answerDns(query, names)
        if (answer) socket?.send(answer, from.port, from.address)
      })
      socket.on('error', () => undefined)
      socket.bind(53, host)
    },
  }
}

/** The answer to one query; undefined for what is no query. */
export function answerDns(query: Buffer, names: Readonly<Record<string, readonly string[]>>): Buffer | undefined {
  if (query.length < 17 || (query.readUInt8(2) & 0x80) !== 0 || query.readUInt16BE(4) !== 1) return undefined
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    if (length > 63 || at + length + 5 > query.length) return undefined
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  if (at + 5 > query.length) return undefined
  const type = query.readUInt16BE(at + 1)
  const addresses = names[labels.join('.').toLowerCase()]
  const records = type === 1 || type === 255 ? (addresses ?? []).slice(0, 24) : []
  const head = Buffer.alloc(12)
  query.copy(head, 0, 0, 2)
  head.writeUInt16BE(0x8480 | (query.readUInt16BE(2) & 0x0100) | (addresses === undefined ? 3 : 0), 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(records.length, 6)
  const body = records.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 2, 0, 4, ...address.split('.').map(Number)]),
  )
  return Buffer.concat([head, query.subarray(12, at + 5), ...body])
}

/** The functions that travel to the keeper; the first is the entrance. */
export const DNS_PARTS = [startDns, answerDns]
