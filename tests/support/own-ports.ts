import { createServer, type Server } from 'node:net'

/** Below the ports that our own servers and Services choose among, and those that the kernel gives to outgoing connections. */
const FIRST = 12_000
const BLOCKS = 400
const BLOCK = 16

/**
 * The first of some ports in a row (15 at most) that are ours until this process ends, for programs that cannot choose a free port themselves.
 *
 * A port that was found free and is let go again is anybody's: the kernel gives it to the next outgoing connection, and of those a test suite
 * makes hundreds a second. So these are out of the kernel's range, and the last port of a block, which nobody uses, is listened on by who has it.
 */
export async function ownPorts(count = 1): Promise<number> {
  const from = Math.floor(Math.random() * BLOCKS)
  for (let turn = 0; turn < BLOCKS; turn++) {
    const first = FIRST + ((from + turn) % BLOCKS) * BLOCK
    const guard = await listening(first + BLOCK - 1)
    if (guard === undefined) continue
    if (await areFree(first, count)) return first
    guard.close()
  }
  throw new Error(`no ${count} free ports in a row from ${FIRST} on`)
}

async function areFree(first: number, count: number): Promise<boolean> {
  for (let port = first; port < first + count; port++) {
    const server = await listening(port)
    if (server === undefined) return false
    await new Promise((closed) => server.close(closed))
  }
  return true
}

/** The process may end while it listens. */
function listening(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((stranger) => stranger.destroy()).unref()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
