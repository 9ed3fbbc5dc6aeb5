import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { serveGitd, type Gitd, type PushEvent } from '../../src/embedded/gitd/serve.ts'

const TOKEN = 'correct-horse'
const ZERO = '0'.repeat(40)
const root = mkdtempSync(join(tmpdir(), 'sluice-gitd-'))
const events: PushEvent[] = []
let gitd: Gitd

before(async () => {
  const patience = { silentMs: 60_000, slowMs: 1_000, leastBytesPerSecond: 16 << 10 }
  gitd = await serveGitd({ root, port: 0, token: TOKEN, patience, onPush: (event) => void events.push(event) })
  await gitd.createRepository('app')
})
after(async () => {
  await gitd.close()
  rmSync(root, { recursive: true, force: true })
})

test('peers that announce a request and send none of it leave their places to others', async () => {
  const silent = await Promise.all(Array.from({ length: 40 }, () => announce()))
  await assertAnswered()
  for (const socket of silent) socket.destroy()
})

test('peers that leave before they are answered leave their places to others', async () => {
  for (let turn = 0; turn < 40; turn++) (await askRefs('git-receive-pack')).destroy()
  await assertAnswered()
})

test('peers that leave while they wait for a place take none', async () => {
  const busy = await Promise.all(Array.from({ length: 32 }, () => announce()))
  const waiting = await Promise.all(Array.from({ length: 40 }, () => askRefs('git-upload-pack')))
  await assertHeard()
  for (const socket of waiting) socket.destroy()
  await assertHeard()
  for (const socket of busy) socket.destroy()
  await assertAnswered()
})

test('of requests behind one another in a connection, those that were not begun take no place when the peer leaves', async () => {
  const sockets = await Promise.all(Array.from({ length: 10 }, () => askRefs('git-upload-pack', 8)))
  for (const socket of sockets) socket.destroy()
  await assertAnswered()
})

test('a pack of some kilobytes that claims gigabytes of memory is refused', async () => {
  const base = Buffer.alloc(0xff_ffff)
  const name = createHash('sha1').update(`blob ${base.length}\0`).update(base).digest()
  const copyAll = Buffer.from([0xf0, 0xff, 0xff, 0xff])
  const size = 180 * base.length
  const delta = Buffer.concat([numberOf(base.length), numberOf(size), ...Array<Buffer>(180).fill(copyAll)])
  const objects = [headOf(3, base.length), deflateSync(base), headOf(7, delta.length), name, deflateSync(delta)]
  const answer = await push([`${ZERO} ${name.toString('hex')} refs/heads/bomb`], packOf(2, objects))
  assert.match(answer, /attempting to allocate 3019898700|attempting to allocate 3019898701/)
  assert.match(answer, /ng refs\/heads\/bomb/)
})

const heads: { it: string; lines: string[]; want: RegExp }[] = [
  {
    it: 'a name that is not UTF-8',
    lines: [`${ZERO} ${'1'.repeat(40)} refs/heads/\xff`],
    want: /^the push cannot be read: a ref has a name that is not UTF-8 or too long$/,
  },
  {
    it: 'a name longer than any path',
    lines: [`${ZERO} ${'1'.repeat(40)} refs/heads/${'a'.repeat(60_000)}`],
    want: /^the push cannot be read: a ref has a name that is not UTF-8 or too long$/,
  },
  {
    it: 'capabilities behind the first ref, which would grow the first line beyond a packet',
    lines: [`${ZERO} ${'1'.repeat(40)} refs/heads/a`, `${ZERO} ${'1'.repeat(40)} refs/heads/b\0${'c'.repeat(60_000)}`],
    want: /^the push cannot be read: malformed$/,
  },
]
for (const { it, lines, want } of heads)
  test(`${it} is refused by name`, async () => {
    assert.match((await push(lines, Buffer.alloc(0))).trimEnd(), want)
    assert.deepEqual(events, [])
  })

/** The head of a request whose body never comes. */
async function announce(): Promise<Socket> {
  const socket = connect(gitd.port, '127.0.0.1').on('error', () => undefined)
  await once(socket, 'connect')
  const type = 'content-type: application/x-git-upload-pack-request'
  socket.write(`POST /app.git/git-upload-pack HTTP/1.1\r\nhost: localhost\r\n${type}\r\ncontent-length: 1000\r\n\r\n`)
  return socket
}

/** Asks for the refs and reads no answer. */
async function askRefs(service: string, times = 1): Promise<Socket> {
  const socket = connect(gitd.port, '127.0.0.1').on('error', () => undefined)
  await once(socket, 'connect')
  const headers = `host: localhost\r\ngit-protocol: version=2\r\nauthorization: ${authorized()['authorization']}\r\n\r\n`
  const request = `GET /app.git/info/refs?service=${service} HTTP/1.1\r\n${headers}`
  await new Promise((resolve) => socket.write(request.repeat(times), resolve))
  return socket
}

async function assertAnswered(): Promise<void> {
  const url = `${gitd.urlOf('app')}/info/refs?service=git-receive-pack`
  const refs = await fetch(url, { headers: authorized(), signal: AbortSignal.timeout(20_000) })
  assert.equal(refs.status, 200)
}

/** The server has heard what was sent before: who is refused waits for no place. */
async function assertHeard(): Promise<void> {
  assert.equal((await fetch(`${gitd.urlOf('none')}/info/refs?service=git-upload-pack`)).status, 404)
}

function authorized(): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}` }
}

/** Pushes without a side band that would cut the report; what git says beside it comes in one. */
async function push(lines: readonly string[], pack: Buffer): Promise<string> {
  const [first = '', ...others] = lines
  const all = [first.includes('\0') ? first : `${first}\0report-status side-band-64k`, ...others]
  const body = Buffer.concat([...all.map((line) => packetOf(Buffer.from(line, 'latin1'))), Buffer.from('0000'), pack])
  const answer = await fetch(`${gitd.urlOf('app')}/git-receive-pack`, {
    method: 'POST',
    headers: { ...authorized(), 'content-type': 'application/x-git-receive-pack-request' },
    body: new Uint8Array(body),
  })
  return answer.text()
}

function packetOf(data: Buffer): Buffer {
  return Buffer.concat([Buffer.from((data.length + 4).toString(16).padStart(4, '0')), data])
}

function packOf(count: number, objects: readonly Buffer[]): Buffer {
  const head = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1')
  head.writeUInt32BE(count, 8)
  const bytes = Buffer.concat([head, ...objects])
  return Buffer.concat([bytes, createHash('sha1').update(bytes).digest()])
}

/** Type and size before an object of a pack. */
function headOf(type: number, size: number): Buffer {
  const bytes = [(type << 4) | (size & 15)]
  for (let rest = size >>> 4; rest > 0; rest >>>= 7) {
    bytes[bytes.length - 1]! |= 0x80
    bytes.push(rest & 0x7f)
  }
  return Buffer.from(bytes)
}

/** A size inside a delta. */
function numberOf(size: number): Buffer {
  const bytes: number[] = []
  for (let rest = size; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0))
    if (rest < 128) return Buffer.from(bytes)
  }
}
