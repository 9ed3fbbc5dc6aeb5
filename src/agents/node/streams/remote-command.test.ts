import assert from 'node:assert/strict'
import { Readable, Writable } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { CommandStreams } from './command-streams.ts'
import { carry } from './remote-command.ts'

const HOUR_MS = 3_600_000

/** A client that takes nothing, and a program that has printed more than fits. */
function session() {
  const gone = new AbortController()
  let isEnded = false
  const stdout = new Writable({ highWaterMark: 1, write: () => undefined })
  const streams: CommandStreams = {
    stdin: undefined,
    stdout,
    stderr: undefined,
    resize: undefined,
    sendStatus: () => Promise.resolve(),
    gone: gone.signal,
    close: () => undefined,
    cut: () => {
      stdout.destroy()
      gone.abort()
    },
  }
  const program = {
    stdin: undefined,
    stdout: Readable.from(['one', 'two', 'three']),
    stderr: undefined,
    resize: () => undefined,
    exited: Promise.resolve(0),
    end: () => void (isEnded = true),
  }
  const carried = carry(streams, () => Promise.resolve(program), ['true'])
  return { carried, isCut: () => gone.signal.aborted, isEnded: () => isEnded }
}

test('a client that stops reading is cut off after four hours', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { carried, isCut, isEnded } = session()
  await turn()
  t.mock.timers.tick(4 * HOUR_MS - 1)
  assert.equal(isCut(), false)
  t.mock.timers.tick(1)
  await carried
  assert.deepEqual([isCut(), isEnded()], [true, true])
})
