import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { makeScratch } from '../../../machine/scratch.ts'
import { isRecord } from '../../../lib/value/is-record.ts'
import { type DockerCall, type DockerReach, runDocker } from './docker-command.ts'

/** A folder for the PATH of a job with a `docker` in it that calls back. */
export type DockerDoor = { readonly binFolder: string; readonly close: () => void }

const LARGEST_CALL_BYTES = 4 << 20
/** A caller that leaves so much unread listens no more. */
const MOST_UNREAD_BYTES = 16 << 20

/**
 * Opens a Unix socket that only this user can reach, and writes the `docker` that speaks to it.
 *
 * One line of JSON asks; lines of JSON answer: `{"o":"line"}`, `{"e":"line"}`, `{"x":code}`. What a call began ends with its caller.
 */
export async function openDockerDoor(reach: DockerReach): Promise<DockerDoor> {
  const folder = makeScratch('docker')
  const path = join(folder, 's')
  const callers = new Set<Socket>()
  const server = createServer((socket) => {
    callers.add(socket)
    socket.once('close', () => callers.delete(socket))
    serveCall(socket, reach)
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  const binFolder = join(folder, 'bin')
  mkdirSync(binFolder)
  writeFileSync(join(binFolder, 'docker'), renderShim(path), { mode: 0o755 })
  return {
    binFolder,
    close() {
      server.close()
      for (const caller of callers) caller.destroy()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function serveCall(socket: Socket, reach: DockerReach): void {
  let text = ''
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  socket.on('error', () => socket.destroy())
  const read = (chunk: string): void => {
    text += chunk
    if (text.length > LARGEST_CALL_BYTES) return void socket.destroy()
    if (!text.endsWith('\n')) return
    socket.off('data', read)
    socket.resume() // else the end of the caller is not seen
    const call = parseCall(text)
    if (call === undefined) return void socket.destroy()
    void carryOut(socket, call, { ...reach, signal: AbortSignal.any([reach.signal, gone.signal]) })
  }
  socket.setEncoding('utf8').on('data', read)
}

async function carryOut(socket: Socket, call: DockerCall, reach: DockerReach): Promise<void> {
  const send = (message: object): void => {
    if (socket.destroyed) return
    socket.write(`${JSON.stringify(message)}\n`)
    if (socket.writableLength > MOST_UNREAD_BYTES) socket.destroy()
  }
  const code = await runDocker(call, { out: (o) => send({ o }), err: (e) => send({ e }) }, reach)
  send({ x: code })
  socket.end()
}

function parseCall(text: string): DockerCall | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(value)) return undefined
  const { argv, cwd, env, input } = value
  if (!isTexts(argv) || typeof cwd !== 'string' || typeof input !== 'string') return undefined
  return isRecord(env) && isMapOfTexts(env) ? { argv, cwd, env, input } : undefined
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

function isMapOfTexts(value: Readonly<Record<string, unknown>>): value is Readonly<Record<string, string>> {
  return Object.values(value).every((each) => typeof each === 'string')
}

function renderShim(socketPath: string): string {
  return `#!${process.execPath}
const net = require('node:net'), fs = require('node:fs')
const argv = process.argv.slice(2)
const input = argv.includes('--password-stdin') ? fs.readFileSync(0, 'utf8') : ''
const socket = net.connect(${JSON.stringify(socketPath)})
let text = '', code = 1
socket.setEncoding('utf8')
socket.on('error', (error) => { console.error('docker: ' + error.message); process.exitCode = 1 })
socket.on('data', (chunk) => {
  const lines = (text + chunk).split('\\n')
  text = lines.pop()
  for (const line of lines) {
    const { o, e, x } = JSON.parse(line)
    if (o !== undefined) process.stdout.write(o + '\\n')
    if (e !== undefined) process.stderr.write(e + '\\n')
    if (x !== undefined) code = x
  }
})
socket.on('close', () => { process.exitCode = code })
socket.write(JSON.stringify({ argv, cwd: process.cwd(), env: process.env, input }) + '\\n')
`
}
