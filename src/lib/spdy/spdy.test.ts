import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, createDeflate, createInflate } from 'node:zlib'
import { seededRandom } from '../../../tests/support/seeded-random.ts'
import { SPDY_DICTIONARY } from './dictionary.ts'
import { SpdyFault } from './fault.ts'
import {
  readFrames,
  renderData,
  renderGoAway,
  renderPing,
  renderReset,
  renderSynReply,
  renderSynStream,
  type Frame,
} from './frame.ts'
import { readHeaderBlocks, writeHeaderBlocks } from './headers.ts'

const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const reads = (...chunks: Buffer[]): Frame[] => {
  const read = readFrames()
  return chunks.flatMap((chunk) => [...read(chunk)])
}

test('the dictionary is that of SPDY/3: zlib names it by its Adler-32', async () => {
  const deflate = createDeflate({ dictionary: SPDY_DICTIONARY })
  const first = new Promise<Buffer>((resolve) => deflate.once('data', resolve))
  deflate.end('x')
  assert.equal((await first).toString('hex', 2, 6), 'e3c6a7c2')
})

// what kubectl 1.27 sent to open the streams of an exec
const OPENED = bytes(
  '80030001 00000029 00000001 00000000 0000 78f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff' +
    '80030001 00000019 00000003 00000000 0000 c22ac5565c92925f5a02000000ffff',
)

test('streams that kubectl opens are read, block after block', async () => {
  const blocks = readHeaderBlocks()
  const seen = []
  for (const frame of reads(OPENED))
    if (frame.kind === 'synStream') seen.push([frame.stream, Object.fromEntries(await blocks.read(frame.block))])
  assert.deepEqual(seen, [
    [1, { streamtype: 'error' }],
    [3, { streamtype: 'stdout' }],
  ])
  blocks.close()
})

const frames: { it: string; frame: Buffer; want: Frame }[] = [
  {
    it: 'data',
    frame: renderData(5, Buffer.from('hi'), false),
    want: { kind: 'data', stream: 5, isLast: false, data: Buffer.from('hi') },
  },
  {
    it: 'the last data',
    frame: renderData(5, Buffer.alloc(0), true),
    want: { kind: 'data', stream: 5, isLast: true, data: Buffer.alloc(0) },
  },
  {
    it: 'a new stream',
    frame: renderSynStream(7, Buffer.from('b')),
    want: { kind: 'synStream', stream: 7, isLast: false, block: Buffer.from('b') },
  },
  {
    it: 'the answer to it',
    frame: renderSynReply(7, Buffer.from('b')),
    want: { kind: 'synReply', stream: 7, isLast: false, block: Buffer.from('b') },
  },
  { it: 'a reset', frame: renderReset(7, 5), want: { kind: 'reset', stream: 7, status: 5 } },
  { it: 'a ping', frame: renderPing(9), want: { kind: 'ping', id: 9 } },
  { it: 'a goodbye', frame: renderGoAway(7), want: { kind: 'goAway' } },
  {
    it: 'settings, which are nothing to us',
    frame: bytes('80030004 00000004 00000000'),
    want: { kind: 'other', type: 4 },
  },
]
for (const { it, frame, want } of frames)
  test(`${it} is read as it was written`, () => assert.deepEqual(reads(frame), [want]))

const faults: { it: string; frame: Buffer }[] = [
  { it: 'another version', frame: bytes('80020006 00000004 00000001') },
  { it: 'data for stream 0', frame: bytes('00000000 00000000') },
  { it: 'a new stream that is cut short', frame: bytes('80030001 00000004 00000001') },
  { it: 'a reset of stream 0', frame: bytes('80030003 00000008 00000000 00000005') },
  { it: 'a control frame of 65 KiB', frame: bytes('80030001 00010400') },
  { it: 'data of 16 MiB', frame: bytes('00000001 00ffffff') },
]
for (const { it, frame } of faults) test(`${it} is a fault`, () => assert.throws(() => reads(frame), SpdyFault))

test('frames are the same however their bytes are cut', () => {
  const random = seededRandom(7)
  const all = Buffer.concat([OPENED, ...frames.map(({ frame }) => frame), renderData(1, Buffer.alloc(70_000, 7), true)])
  const whole = reads(all)
  for (let round = 0; round < 50; round++) {
    const chunks: Buffer[] = []
    for (let at = 0; at < all.length;) {
      const size = 1 + Math.floor(random() * (round % 2 === 0 ? 12 : 9_000))
      chunks.push(all.subarray(at, at + size))
      at += size
    }
    assert.deepEqual(reads(...chunks), whole)
  }
})

test('bytes that are no SPDY are a fault or wait for more, and nothing else', async () => {
  const random = seededRandom(11)
  const seed = Buffer.concat([OPENED, ...frames.map(({ frame }) => frame)])
  for (let round = 0; round < 2_000; round++) {
    const bent = Buffer.from(seed)
    for (let bend = 0; bend < 3; bend++) bent[Math.floor(random() * bent.length)] = Math.floor(random() * 256)
    const blocks = readHeaderBlocks()
    try {
      for (const frame of reads(bent)) if (frame.kind === 'synStream') await blocks.read(frame.block)
    } catch (error) {
      assert.ok(error instanceof SpdyFault, String(error))
    }
    blocks.close()
  }
})

test('a block that grows without end is a fault', async () => {
  const deflate = createDeflate({ dictionary: SPDY_DICTIONARY })
  const chunks: Buffer[] = []
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise<void>((resolve) => deflate.write(Buffer.alloc(5_000_000), () => resolve()))
  await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve))
  const blocks = readHeaderBlocks()
  await assert.rejects(blocks.read(Buffer.concat(chunks)), SpdyFault)
})

test('a block with a thousand headers, or the same one twice, is a fault', async () => {
  const many = new Map(Array.from({ length: 101 }, (_, index) => [`h${index}`, '']))
  const blocks = readHeaderBlocks()
  await assert.rejects(blocks.read(writeHeaderBlocks()(many)), /101 headers/)
  blocks.close()
})

test('the blocks that we write are zlib to everybody', async () => {
  const write = writeHeaderBlocks()
  const inflate = createInflate({ flush: constants.Z_SYNC_FLUSH })
  for (const value of ['one', 'two']) {
    const block = write(new Map([['Name', value]]))
    await new Promise<void>((resolve) => inflate.write(block, () => resolve()))
    const plain: Buffer = inflate.read()
    assert.equal(plain.toString('latin1'), `\0\0\0\x01\0\0\0\x04name\0\0\0\x03${value}`)
  }
  assert.equal(write(new Map()).toString('hex').slice(-10), '000000ffff')
})
