import { PassThrough, type Duplex } from 'node:stream'
import type { EngineClient } from '../../../adapters/container-engine/client.ts'
import { textsOf } from '../../../adapters/container-engine/container.ts'
import { readFrames } from '../../../adapters/container-engine/frames.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { RemoteProgram } from '../remote-program.ts'
import type { RemoteRequest } from '../driver.ts'
import type { ExecAnswer } from '../keeper/messages.ts'

const MOST_OUTPUT = 65_536
const MOST_LOOKS = 100

/** Runs a short program in a container to its end. */
export async function execIn(
  engine: EngineClient,
  id: string,
  command: readonly string[],
  timeoutMs: number,
): Promise<ExecAnswer> {
  const exec = await makeExec(engine, id, { command, stdin: false, stdout: true, stderr: true, tty: false })
  const socket = await engine.join(`/exec/${exec}/start`, { Detach: false, Tty: false })
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    socket.destroy()
  }, timeoutMs)
  let output = ''
  try {
    for await (const { bytes } of readFrames(socket)) if (output.length < MOST_OUTPUT) output += bytes.toString('utf8')
  } catch (error) {
    if (!timedOut) throw error
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
  return { code: timedOut ? 137 : await exitOf(engine, exec), output: output.slice(0, MOST_OUTPUT), timedOut }
}

/** Runs a program in a container for somebody who listens. @throws SluiceError NODE_DRIVER */
export async function openIn(
  engine: EngineClient,
  id: string,
  request: RemoteRequest,
  mostLooks = MOST_LOOKS,
): Promise<RemoteProgram> {
  const exec = await makeExec(engine, id, request)
  const socket = await engine.join(`/exec/${exec}/start`, { Detach: false, Tty: request.tty })
  return programOf(socket, request, {
    resize: ({ columns, rows }) =>
      void engine.ask('POST', `/exec/${exec}/resize?h=${rows}&w=${columns}`).catch(() => undefined),
    exit: () => exitOf(engine, exec, mostLooks),
  })
}

/** Listens to a container's own program. @throws SluiceError NODE_DRIVER */
export async function attachTo(
  engine: EngineClient,
  id: string,
  request: Omit<RemoteRequest, 'command'>,
): Promise<RemoteProgram> {
  const flags = Object.entries({ stream: true, stdin: request.stdin, stdout: request.stdout, stderr: request.stderr })
  const query = flags.flatMap(([name, wanted]) => (wanted ? [`${name}=1`] : [])).join('&')
  const socket = await engine.join(`/containers/${id}/attach?${query}`)
  return programOf(socket, request, {
    resize: ({ columns, rows }) =>
      void engine.ask('POST', `/containers/${id}/resize?h=${rows}&w=${columns}`).catch(() => undefined),
    exit: async () => 0,
  })
}

function programOf(
  socket: Duplex,
  { stdin, stdout, stderr, tty }: Omit<RemoteRequest, 'command'>,
  o: { readonly resize: RemoteProgram['resize']; readonly exit: () => Promise<number> },
): RemoteProgram {
  const out = stdout ? new PassThrough() : undefined
  const err = stderr && !tty ? new PassThrough() : undefined
  const write = async (to: PassThrough | undefined, bytes: Buffer): Promise<void> => {
    if (to !== undefined && !to.destroyed && !to.write(bytes))
      await new Promise<void>((resolve) => {
        to.once('drain', resolve)
        to.once('close', resolve)
      })
  }
  const read = async (): Promise<number> => {
    try {
      if (tty) for await (const chunk of socket) await write(out, Buffer.from(chunk))
      else for await (const { stream, bytes } of readFrames(socket)) await write(stream === 'stderr' ? err : out, bytes)
    } catch {
      // let go
    }
    out?.end()
    err?.end()
    return o.exit()
  }
  const exited = read()
  exited.catch(() => undefined) // who asks for it hears it
  return {
    stdin: stdin ? socket : undefined,
    stdout: out,
    stderr: err,
    resize: o.resize,
    exited,
    end: () => void socket.destroy(),
  }
}

async function makeExec(
  engine: EngineClient,
  id: string,
  { command, stdin, stdout, stderr, tty }: RemoteRequest,
): Promise<string> {
  const body = { Cmd: command, AttachStdin: stdin, AttachStdout: stdout, AttachStderr: stderr, Tty: tty }
  const [exec] = textsOf(await engine.ask('POST', `/containers/${id}/exec`, body), 'Id')
  if (exec !== undefined) return exec
  throw new SluiceError('NODE_DRIVER', 'the container engine made no program', { retry: 'backoff' })
}

/** @throws SluiceError NODE_DRIVER where only the connection ended: what became of the program is not known */
async function exitOf(engine: EngineClient, exec: string, mostLooks = MOST_LOOKS): Promise<number> {
  // the end of the streams may be heard a moment before the end of the program is known
  for (let turn = 0; turn < mostLooks; turn++) {
    const value = await engine.ask('GET', `/exec/${exec}/json`)
    const { Running, ExitCode } =
      typeof value === 'object' && value !== null
        ? { Running: false, ExitCode: 1, ...value }
        : { Running: false, ExitCode: 1 }
    if (!Running) return Number(ExitCode)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new SluiceError('NODE_DRIVER', 'the connection to the program ended, and the program runs on', {
    retry: 'backoff',
  })
}
