import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { describeError } from '../../lib/error/sluice-error.ts'
import { listenFault } from '../../machine/listen-fault.ts'
import { choosePorts, LISTENERS, type Ports } from './ports.ts'
import { holdStateFolder } from './hold-state-folder.ts'
import type { StateFolder } from './state-folder.ts'

test('two listeners that ask for one port are told so, each by its name', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-ports-'))
  const folder = holdStateFolder(dir)
  const { git } = await keepQuietPorts(folder)
  await assert.rejects(choosePorts(folder, { page: git }), {
    code: 'PORT_IN_USE',
    message: `port ${git} of the page listener is taken by the git listener of this one`,
    hint: 'choose another port with --page-port (0 for a free one)',
  })
  folder.release()
  rmSync(dir, { recursive: true })
})

test('ports are chosen once and kept; a taken one is named', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-ports-'))
  const folder = holdStateFolder(dir)
  const anew = await chosen(folder)
  assert.equal(new Set(Object.values(anew)).size, 6)
  assert.deepEqual(folder.read('ports.json'), anew)

  const first = await keepQuietPorts(folder)
  assert.deepEqual(await chosen(folder), first)

  const other = createServer()
  await new Promise<void>((resolve) => other.listen(first.git, '127.0.0.1', resolve))
  await assert.rejects(choosePorts(folder, {}), {
    code: 'PORT_IN_USE',
    message: new RegExp(`port ${first.git} of the git listener`),
  })
  await new Promise((resolve) => other.close(resolve))
  folder.release()
  rmSync(dir, { recursive: true })
})

test("a port that is chosen anew is nobody else's until its listener comes", async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-ports-'))
  const folder = holdStateFolder(dir)
  const { ports, take, close } = await choosePorts(folder, {})
  const code = (error: unknown): unknown => Reflect.get(Object(error), 'code')
  assert.equal(await listening(ports.page).catch(code), 'EADDRINUSE')
  assert.equal(await take('page'), ports.page)
  await (
    await listening(ports.page)
  )()
  await close()
  const ends = await Promise.all(Object.values(ports).map((port) => listening(port).catch(code)))
  // somebody else may have chosen one of them meanwhile, not all
  assert.ok(ends.some((end) => end !== 'EADDRINUSE'))
  for (const end of ends) if (typeof end === 'function') await end()
  folder.release()
  rmSync(dir, { recursive: true })
})

test('an address that this machine does not have is told so, not as taken', async () => {
  const server = createServer()
  const fault = await new Promise<Error>((resolve) => {
    server.once('error', (error) => resolve(listenFault('192.0.2.1:0', error)))
    server.listen(0, '192.0.2.1')
  })
  assert.match(
    describeError(fault),
    /^192\.0\.2\.1:0 is no address of this machine\n {2}where: .*\n {2}hint: choose one/,
  )
})

/** Keeps free ports that nobody else chooses while this runs: below those of servers, Services and connections. */
async function keepQuietPorts(folder: StateFolder): Promise<Ports> {
  const quiet: number[] = []
  while (quiet.length < LISTENERS.length) {
    const port = 10_000 + Math.floor(Math.random() * 10_000)
    const end = quiet.includes(port) ? undefined : await listening(port).catch(() => undefined)
    if (end !== undefined) quiet.push(port)
    await end?.()
  }
  const ports = Object.fromEntries(LISTENERS.map((listener, at) => [listener, quiet[at]])) as Ports
  folder.write('ports.json', ports)
  return ports
}

async function chosen(folder: StateFolder): Promise<Ports> {
  const { ports, close } = await choosePorts(folder, {})
  await close()
  return ports
}

/** Answers how it ends. */
function listening(port: number): Promise<() => Promise<void>> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(() => new Promise((ended) => server.close(() => ended()))))
  })
}
