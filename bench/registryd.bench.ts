/**
 * registryd beside Debian's docker-registry (when installed), the same load on each, one after the other.
 * Needs wrk for the rates; without it only pushes are measured. Prints a JSON line for each figure.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createRegistryClient, type RegistryClient } from '../src/adapters/registry/client.ts'
import { digestOf } from '../src/lib/oci/digest.ts'
import { MEDIA } from '../src/lib/oci/media-types.ts'
import { type RegistrydProcess, startRegistryd } from './registryd-process.ts'

type Figures = Readonly<Record<string, number>>
type Running = RegistrydProcess

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-registry-'))
const hasWrk = spawnSync('wrk', ['-v']).error === undefined
try {
  const ours = await measure(await startRegistryd(join(folder, 'ours')))
  const has = spawnSync('docker-registry', ['--version']).error === undefined
  const theirs = has ? await measure(await startDebians()) : undefined
  for (const [name, value] of Object.entries(ours)) {
    const peer = theirs?.[name]
    const unit = name.endsWith('ms') ? 'ms' : name.endsWith('MiB') ? 'MiB' : 'per second'
    const ratio = peer === undefined ? {} : { peer, peerName: 'docker-registry (Debian)', ratio: round(value / peer) }
    console.log(JSON.stringify({ name: `registryd: ${name}`, value, unit, ...ratio }))
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function measure({ host, pid, stop }: Running): Promise<Figures> {
  const client = createRegistryClient()
  try {
    const of = { host, repository: 'load/app' }
    const manifest = await pushImage(client, host)
    const figures: Record<string, number> = {}
    if (hasWrk) figures['manifest GET by tag, one tag'] = rate(`http://${host}/v2/load/app/manifests/first`)
    const started = performance.now()
    let n = 0
    const work = async (): Promise<void> => {
      while (n < 5000) await client.putManifest(of, `v${String(n++).padStart(5, '0')}`, manifest)
    }
    await Promise.all(Array.from({ length: 8 }, work))
    figures['manifest PUT'] = round(5000 / ((performance.now() - started) / 1000))
    if (hasWrk) {
      figures['manifest GET by tag, 5,001 tags'] = rate(`http://${host}/v2/load/app/manifests/first`)
      figures['manifest GET by digest'] = rate(`http://${host}/v2/load/app/manifests/${digestOf(manifest.bytes)}`)
      figures['list of 5,001 tags'] = rate(`http://${host}/v2/load/app/tags/list`)
    }
    figures['push of a 60 MiB blob in ms'] = await pushBig(client, host)
    figures['memory in MiB'] = residentMiB(pid)
    return figures
  } finally {
    client.close()
    await stop()
  }
}

async function pushImage(client: RegistryClient, host: string): Promise<{ bytes: Buffer; mediaType: string }> {
  const of = { host, repository: 'load/app' }
  const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')
  const digest = digestOf(config)
  await client.pushBlob(of, { digest, sizeBytes: config.length, open: () => Readable.from([config]) })
  const descriptor = { mediaType: MEDIA.config, digest, size: config.length }
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.manifest, config: descriptor, layers: [] }),
  )
  await client.putManifest(of, 'first', { bytes, mediaType: MEDIA.manifest })
  return { bytes, mediaType: MEDIA.manifest }
}

async function pushBig(client: RegistryClient, host: string): Promise<number> {
  const times: number[] = []
  for (let turn = 0; turn < 3; turn++) {
    const bytes = randomBytes(60 << 20)
    const digest = digestOf(bytes)
    const started = performance.now()
    const open = (): Readable => Readable.from([bytes])
    await client.pushBlob({ host, repository: 'load/big' }, { digest, sizeBytes: bytes.length, open })
    times.push(performance.now() - started)
  }
  return round(Math.min(...times))
}

function rate(url: string): number {
  const { stdout } = spawnSync('wrk', ['-t1', '-c16', '-d3s', '-H', `Accept: ${MEDIA.manifest}`, url], {
    encoding: 'utf8',
  })
  if (/Non-2xx/.test(stdout)) throw new Error(stdout)
  return round(Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]))
}

async function startDebians(): Promise<Running> {
  const host = `127.0.0.1:${await freePort()}`
  const config = join(folder, 'registry.yml')
  writeFileSync(
    config,
    `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { delete: { enabled: true }, cache: { blobdescriptor: inmemory }, filesystem: { rootdirectory: ${folder}/theirs } }
http: { addr: ${host} }
`,
  )
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' })
  for (let turn = 0; turn < 100; turn++) {
    const up = await fetch(`http://${host}/v2/`).then(
      () => true,
      () => false,
    )
    if (up) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { host, pid: child.pid ?? 0, stop: () => stop(child) }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
}

function residentMiB(pid: number): number {
  return round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024)
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}
