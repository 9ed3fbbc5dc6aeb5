import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DockerCall, type DockerReach, runDocker } from './docker-command.ts'

/** A folder for the PATH of a job with a `docker` in it that calls back. */
export type DockerDoor = { readonly binFolder: string; readonly close: () => void }

const LARGEST_CALL_BYTES = 4 << 20

/**
 * Opens a Unix socket that only this user can reach, and writes the `docker` that speaks to it.
 *
 * One line of JSON asks; lines of JSON answer: `{"o":"line"}`, `{"e":"line"}`, `{"x":code}`.
 */
export async function openDockerDoor(reach: DockerReach): Promise<DockerDoor> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-docker-'))
  const path = join(folder, 's')
  const server = createServer((socket) => serveCall(socket, reach))
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  const binFolder = join(folder, 'bin')
  mkdirSync(binFolder)
  writeFileSync(join(binFolder, 'docker'), renderShim(path), { mode: 0o755 })
  return {
    binFolder,
    close() {
      server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function serveCall(socket: Socket, reach: DockerReach): void {
  let text = ''
  const send = (message: object): void => void (socket.destroyed || socket.write(`${JSON.stringify(message)}\n`))
  socket.setEncoding('utf8')
  socket.on('error', () => socket.destroy())
  const read = (chunk: string): void => {
    text += chunk
    if (text.length > LARGEST_CALL_BYTES) socket.destroy()
    if (!text.endsWith('\n')) return
    socket.off('data', read)
    const call = parseCall(text)
    if (call === undefined) return void socket.destroy()
    const output = { out: (o: string) => send({ o }), err: (e: string) => send({ e }) }
    void runDocker(call, output, reach).then((x) => {
      send({ x })
      socket.end()
    })
  }
  socket.on('data', read)
}

function parseCall(text: string): DockerCall | undefined {
  try {
    return JSON.parse(text) as DockerCall
  } catch {
    return undefined
  }
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
