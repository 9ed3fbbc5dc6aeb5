import { existsSync } from 'node:fs'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { RemoteProgram } from '../remote-program.ts'
import type { ContainerId, Forwarded, RemoteRequest } from '../driver.ts'
import type { ExecAnswer } from '../keeper/messages.ts'
import { depthOf, programArguments, programOf, surroundingsOf, TERMINAL } from './container.ts'
import { enterWords, onTerminal, type Started } from './enter.ts'
import { groupOf, keyOf, metaOf, type Linux, type Meta } from './kept.ts'
import { TOOL_ENV } from './launch.ts'
import { whyNoTerminals } from './tools.ts'

type Container = Meta & { readonly kind: 'container' }

/** Runs a short program in a container to its end. */
export async function execIn(
  linux: Linux,
  id: ContainerId,
  command: readonly string[],
  timeoutMs: number,
): Promise<ExecAnswer> {
  const found = await findProgram(linux, id)
  if (found === undefined) return { code: 126, output: 'the container does not run', timedOut: false }
  return linux.launched.keeper.exec({ ...wordsIn(linux, found, command, false), timeoutMs })
}

/** Runs a program in a container for somebody who listens. @throws SluiceError NODE_DRIVER when the container does not run */
export async function openIn(linux: Linux, id: ContainerId, request: RemoteRequest): Promise<RemoteProgram> {
  const found = await findProgram(linux, id)
  if (found === undefined) throw new SluiceError('NODE_DRIVER', 'the container does not run', { retry: 'backoff' })
  const why = request.tty ? whyNoTerminals() : undefined
  if (why !== undefined) throw new SluiceError('NODE_DRIVER', why)
  const streams = [request.stdin, request.stdout, request.stderr] as const
  return linux.launched.keeper.spawn({ ...wordsIn(linux, found, request.command, request.tty), cwd: '/', streams })
}

/** Listens to a container's own program. @throws SluiceError NODE_DRIVER when it does not run */
export async function attachTo(
  linux: Linux,
  id: ContainerId,
  request: Omit<RemoteRequest, 'command'>,
): Promise<RemoteProgram> {
  const kept = (await linux.launched.keeper.list()).find(({ key }) => key === keyOf(id))
  if (kept === undefined || kept.exit)
    throw new SluiceError('NODE_DRIVER', 'the container does not run', { retry: 'backoff' })
  return linux.launched.keeper.attach(keyOf(id), [request.stdin, request.stdout, request.stderr])
}

/**
 * Opens a connection to a port of a pod: at its address, or, where nobody listens there, at its loopback from inside.
 *
 * @throws Error with the reason when nobody listens
 */
export async function forwardTo(linux: Linux, uid: string, port: number): Promise<Forwarded> {
  const { keeper } = linux.launched
  const sandbox = (await keeper.list()).find(({ key, exit }) => key === `sandbox/${uid}` && !exit)
  const meta = sandbox && metaOf(sandbox)
  if (sandbox === undefined || meta?.kind !== 'sandbox') throw new Error('the pod has no network')
  const socket = await keeper.streamTo({ host: meta.ip, port }).catch(() => undefined)
  return socket ? { readable: socket, writable: socket } : fromInside(linux, sandbox.pid, port)
}

/** Speaks to a port of loopback over its own input and output; first says `+`, or `-` and why not. */
const RELAY = [
  "const socket = require('node:net').connect({ host: '127.0.0.1', port: Number(process.argv[1]), allowHalfOpen: true })",
  "socket.on('connect', () => { process.stdout.write('+'); process.stdin.pipe(socket); socket.pipe(process.stdout) })",
  "socket.on('error', (error) => { process.stdout.write('-' + error.message); process.stdin.destroy() })",
  "socket.on('close', () => process.stdin.destroy())",
].join('\n')

async function fromInside({ launched: { keeper } }: Linux, pid: number, port: number): Promise<Forwarded> {
  const argv = ['nsenter', '-t', String(pid), '-n', '--', process.execPath, '-e', RELAY, String(port)]
  const program = await keeper.spawn({ argv, env: TOOL_ENV, cwd: '/', streams: [true, true, false] })
  const { stdin, stdout } = program
  if (stdin === undefined || stdout === undefined) throw new Error('the relay has no streams')
  const first = await new Promise<Buffer>((resolve) => {
    stdout.once('data', resolve)
    stdout.once('close', () => resolve(Buffer.alloc(0)))
  })
  stdout.pause()
  if (first[0] !== 43) {
    program.end()
    throw new Error(first.toString('utf8', 1) || 'the relay does not start')
  }
  if (first.length > 1) stdout.unshift(first.subarray(1))
  stdout.once('close', () => program.end())
  return { readable: stdout, writable: stdin }
}

type Found = { readonly pid: number; readonly first: number; readonly meta: Container }

/** The program of a container that runs. One that was only just started is waited for until it is in its root. */
export async function findProgram(linux: Linux, id: ContainerId): Promise<Found | undefined> {
  for (let turn = 0; turn < 200; turn++) {
    const kept = (await linux.launched.keeper.list()).find(({ key }) => key === keyOf(id))
    const meta = kept && metaOf(kept)
    if (kept === undefined || kept.exit || meta?.kind !== 'container') return undefined
    const [first, pid] = [programOf(kept.pid, 1), programOf(kept.pid, depthOf(meta))]
    if (first !== undefined && pid !== undefined && existsSync(`/proc/${pid}/root/.sluice/ld`))
      return { pid, first, meta }
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  return undefined
}

function wordsIn(linux: Linux, { pid, first, meta }: Found, command: readonly string[], tty: boolean): Started {
  const [uid = '', gid = '', groups = ''] = meta.user.split(':')
  const { home, workingDir, env, capabilities } = surroundingsOf(linux.paths, meta.uid, meta.container)
  const surrounding = tty ? [TERMINAL, ...env] : env
  const words = programArguments({ env: surrounding, workingDir, command }, home)
  const entered = enterWords('/proc/self/fd/9', [uid, gid, groups], words, capabilities)
  const started = tty ? onTerminal(entered, linux.paths.enterScript, uid) : { argv: entered, env: {} }
  return {
    argv: [
      'sh',
      linux.paths.execScript,
      String(pid),
      String(first),
      linux.cgroups.foldersOf(groupOf(meta)).join(':'),
      ...started.argv,
    ],
    env: { ...TOOL_ENV, ...started.env },
  }
}
