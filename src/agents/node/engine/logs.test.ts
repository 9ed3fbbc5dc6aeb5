import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { followLog } from './logs.ts'

const frame = (text: string, stream = 1): Buffer => {
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
  head.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([head, Buffer.from(text)])
}
const at = (nano: string, text: string): Buffer => frame(`2026-11-28T10:00:00.${nano}Z ${text}\n`)
const broken = new Error('aborted')

/** What is kept of the answers of an engine, the last of them without end; and what it was asked for. */
async function follow(t: TestContext, hasTerminal: boolean, answers: readonly (readonly (Buffer | Error)[])[]) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-engine-log-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const asked: string[] = []
  const engine = {
    follow: async (path: string): Promise<IncomingMessage> => {
      const parts = answers[asked.length] ?? []
      asked.push(path.replace(/.*\?/, ''))
      async function* come(): AsyncGenerator<Buffer> {
        for (const part of parts)
          if (part instanceof Error) throw part
          else yield part
      }
      return Readable.from(come()) as IncomingMessage
    },
  }
  const path = join(folder, 'log')
  const alive = setInterval(() => undefined, 1_000) // as a server is
  t.after(() => clearInterval(alive))
  await followLog(engine, { id: 'x', hasTerminal }, path, () => asked.length === answers.length, 0)
  return { asked, lines: readFileSync(path, 'utf8').split('\n').slice(0, -1) }
}

const QUERY = 'follow=1&stdout=1&stderr=1&timestamps=1'

test('a log goes on behind what came last where the connection to the engine breaks', async (t) => {
  const first = [at('100000001', 'a'), at('200000001', 'b'), at('300000000', 'half').subarray(0, 20), broken]
  const second = [at('200000001', 'b'), at('200000002', 'c'), at('300000000', 'half'), broken]
  const { asked, lines } = await follow(t, false, [first, second, [at('300000000', 'half'), at('300000001', 'd')]])
  const since = (ms: number): string => `${QUERY}&since=${Date.parse('2026-11-28T10:00:00Z') / 1000}.${ms}`
  assert.deepEqual(asked, [QUERY, since(200), since(300)])
  const texts = lines.map((line) => line.replace(/^\S+ stdout /, ''))
  assert.deepEqual(texts, ['F a', 'F b', 'F c', 'F half', 'F d'])
})

test('where an engine tells seconds only, what came of the last one is not kept twice', async (t) => {
  const piece = (text: string): Buffer => frame(`2026-11-28T10:00:00Z ${text}\n`)
  const answers = [
    ['a', 'b'],
    ['a', 'b', 'c'],
    ['a', 'b', 'c', 'd'],
  ].map((texts) => [...texts.map(piece), broken])
  const { lines } = await follow(t, false, answers)
  assert.deepEqual(
    lines.map((line) => line.slice(-1)),
    ['a', 'b', 'c', 'd'],
  )
})

test('a log that came to its end is not asked for again, and one that nobody wants is not either', async (t) => {
  assert.equal((await follow(t, false, [[at('1', 'a')], [at('2', 'b')]])).asked.length, 1)
  assert.equal((await follow(t, false, [[at('1', 'a'), broken]])).asked.length, 1)
})

test('what a program prints on its terminal is kept as it is', async (t) => {
  const { asked, lines } = await follow(t, true, [[Buffer.from('one\r\ntw'), Buffer.from('o\r\n')]])
  assert.deepEqual(asked, ['follow=1&stdout=1&stderr=1&timestamps=0'])
  const texts = lines.map((line) => line.replace(/^\S+ /, ''))
  assert.deepEqual(texts, ['stdout F one\r', 'stdout F two\r'])
})
