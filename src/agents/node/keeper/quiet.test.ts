import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { whenQuiet } from './quiet.ts'
import { makeRemotes } from './remote.ts'
import { makeTerminals } from './terminal.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-quiet-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Two ends of a connection. */
async function pair(name: string): Promise<readonly [Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true })
  await once(server.listen(join(folder, name)), 'listening')
  const near = connect(join(folder, name))
  const [far] = await once(server, 'connection')
  server.close()
  return [near, far]
}

function quiet(outputs: readonly Readable[], isHeld = (): boolean => false, mostMs = Infinity): Promise<void> {
  return new Promise((done) => whenQuiet({ outputs, isHeld, mostMs, done }))
}

test('outputs that have ended are over', () => quiet([new PassThrough().end().resume()]))

test('an output that stays open is over once nothing comes any more', async () => {
  const output = new PassThrough()
  output.write('last words')
  await quiet([output])
  assert.equal(output.readableLength, 0)
})

test('an output that nobody can take at the moment is waited for', async () => {
  let turns = 0
  await quiet([new PassThrough()], () => ++turns < 3)
  assert.equal(turns, 3)
})

test('who goes on speaking is not listened to for ever', async () => {
  const output = new PassThrough()
  const speaking = setInterval(() => output.write('more'), 50)
  await quiet([output], undefined, 100)
  clearInterval(speaking)
})

test('what came while the process had no time is read before an output is over', async () => {
  const [near, far] = await pair('late')
  let heard = ''
  near.on('data', (chunk) => (heard += String(chunk)))
  const over = quiet([near])
  far.write('last words')
  // as on a machine with too much to do: the timer is due long before anything can be read
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900)
  await over
  assert.equal(heard, 'last words')
  near.destroy()
  far.destroy()
})

test('who listens to a program late hears all of it, and its end, whatever it left behind', async () => {
  const remotes = makeRemotes(makeTerminals())
  const [control, told] = await pair('control')
  const streams = [false, true, false] as const
  const env = { PATH: process.env.PATH ?? '' }
  remotes.spawn({ argv: ['sh', '-c', 'sleep 20 & echo done'], env, cwd: '/', streams }, told)
  let news = ''
  while (!news.includes('exit')) news += String((await once(control, 'data'))[0])
  const [output, sent] = await pair('output')
  remotes.pipe({ of: 1, fd: 1 }, sent)
  assert.equal(await text(output), 'done\n')
  control.destroy()
})
