import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../../tests/support/seeded-random.ts'
import { listenTo } from './conversation.ts'
import { closePayload, readFrames, renderFrame, WebSocketFault, type Frame } from './frame.ts'
import { acceptKey, handshakeFault, offeredProtocols, renderAccept } from './handshake.ts'

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d])
const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

// the examples of RFC 6455 section 5.7
const examples: { it: string; from: 'client' | 'server'; frame: string; want: Frame }[] = [
  {
    it: 'an unmasked text',
    from: 'server',
    frame: '810548656c6c6f',
    want: { opcode: 'text', isFinal: true, payload: Buffer.from('Hello') },
  },
  {
    it: 'a masked text',
    from: 'client',
    frame: '818537fa213d7f9f4d5158',
    want: { opcode: 'text', isFinal: true, payload: Buffer.from('Hello') },
  },
  {
    it: 'the first part of a text',
    from: 'server',
    frame: '010348656c',
    want: { opcode: 'text', isFinal: false, payload: Buffer.from('Hel') },
  },
  {
    it: 'its last part',
    from: 'server',
    frame: '80026c6f',
    want: { opcode: 'continuation', isFinal: true, payload: Buffer.from('lo') },
  },
  {
    it: 'a ping',
    from: 'server',
    frame: '890548656c6c6f',
    want: { opcode: 'ping', isFinal: true, payload: Buffer.from('Hello') },
  },
  {
    it: 'a masked pong',
    from: 'client',
    frame: '8a8537fa213d7f9f4d5158',
    want: { opcode: 'pong', isFinal: true, payload: Buffer.from('Hello') },
  },
]
for (const { it, from, frame, want } of examples)
  test(`${it} is read`, () => assert.deepEqual(readFrames(from, 100)(bytes(frame)), [want]))

test('frames of every size of length are read as they were written', () => {
  for (const size of [0, 1, 125, 126, 127, 65_535, 65_536, 100_000]) {
    const payload = Buffer.alloc(size, size % 251)
    for (const mask of [undefined, MASK]) {
      const [frame] = readFrames(mask ? 'client' : 'server', 200_000)(renderFrame('binary', payload, mask))
      assert.deepEqual(frame, { opcode: 'binary', isFinal: true, payload })
    }
  }
})

const faults: { it: string; frame: string; code: number }[] = [
  { it: 'an unmasked frame of a client', frame: '810548656c6c6f', code: 1002 },
  { it: 'a reserved bit', frame: 'c18537fa213d7f9f4d5158', code: 1002 },
  { it: 'an unknown opcode', frame: '838537fa213d7f9f4d5158', code: 1002 },
  { it: 'a fragmented ping', frame: '098037fa213d', code: 1002 },
  { it: 'a ping of 126 bytes', frame: '89fe007e37fa213d', code: 1002 },
  { it: 'a continuation of nothing', frame: '808037fa213d', code: 1002 },
  { it: 'a frame of two to the 40 bytes', frame: '82ff0000010000000000 37fa213d', code: 1009 },
]
for (const { it, frame, code } of faults)
  test(`${it} ends the conversation with ${code}`, () => {
    const { messages, replies, isOver } = listenTo(1_000)(bytes(frame))
    assert.deepEqual(messages, [])
    assert.equal(isOver, true)
    const [close] = readFrames('server', 1_000)(replies[0] ?? Buffer.alloc(0))
    assert.equal(close?.opcode, 'close')
    assert.equal(close?.payload.readUInt16BE(0), code)
  })

const fromClient = (opcode: Frame['opcode'], text: string, isFinal = true): Buffer => {
  const frame = renderFrame(opcode, Buffer.from(text), MASK)
  if (!isFinal) frame[0] = (frame[0] ?? 0) & 0x7f
  return frame
}

test('fragments become one message, with a ping between them answered', () => {
  const listen = listenTo(1_000)
  const chunk = Buffer.concat([
    fromClient('text', 'a', false),
    fromClient('ping', 'p'),
    fromClient('continuation', 'b'),
  ])
  const { messages, replies, isOver } = listen(chunk)
  assert.deepEqual(messages, [{ kind: 'text', payload: Buffer.from('ab') }])
  assert.deepEqual(replies, [renderFrame('pong', Buffer.from('p'))])
  assert.equal(isOver, false)
})

test('a message in many fragments is bounded', () => {
  const listen = listenTo(1_000)
  let isOver = listen(fromClient('binary', 'x'.repeat(600), false)).isOver
  assert.equal(isOver, false)
  isOver = listen(fromClient('continuation', 'x'.repeat(600), false)).isOver
  assert.equal(isOver, true)
})

test('a goodbye is answered with its code', () => {
  const { replies, isOver } = listenTo(100)(renderFrame('close', closePayload(1000, 'done'), MASK))
  assert.equal(isOver, true)
  assert.deepEqual(replies, [renderFrame('close', closePayload(1000, ''))])
})

test('messages are the same however their bytes are cut, and bent bytes are refused or wait', () => {
  const random = seededRandom(3)
  const all = Buffer.concat(['a', 'bc', 'd'.repeat(300), 'e'.repeat(70_000)].map((text) => fromClient('binary', text)))
  const whole = listenTo(100_000)(all).messages
  for (let round = 0; round < 300; round++) {
    const listen = listenTo(100_000)
    const isBent = round % 2 === 1
    const input = Buffer.from(all)
    if (isBent) input[Math.floor(random() * 400)] = Math.floor(random() * 256)
    const messages = []
    for (let at = 0; at < input.length;) {
      const size = 1 + Math.floor(random() * (round % 4 < 2 ? 40 : 9_000))
      const step = listen(input.subarray(at, at + size))
      messages.push(...step.messages)
      at += size
      if (step.isOver) break
    }
    if (!isBent) assert.deepEqual(messages, whole)
  }
})

test('the handshake is that of RFC 6455', () => {
  assert.equal(acceptKey('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  const sound = { 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }
  assert.equal(handshakeFault('GET', sound), undefined)
  assert.match(handshakeFault('POST', sound) ?? '', /GET/)
  assert.match(handshakeFault('GET', { ...sound, 'sec-websocket-version': '8' }) ?? '', /13/)
  assert.match(handshakeFault('GET', { ...sound, 'sec-websocket-key': 'short' }) ?? '', /16 bytes/)
  assert.deepEqual(offeredProtocols({ 'sec-websocket-protocol': 'a, b' }), ['a', 'b'])
  assert.deepEqual(offeredProtocols({}), [''])
  assert.match(renderAccept('dGhlIHNhbXBsZSBub25jZQ==', 'v5.channel.k8s.io'), /Protocol: v5\.channel\.k8s\.io\r\n\r\n$/)
  assert.throws(() => readFrames('client', 10)(bytes('810548656c6c6f')), WebSocketFault)
})
