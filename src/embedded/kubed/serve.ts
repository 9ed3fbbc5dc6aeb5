import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join, resolve } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { reconcileDefaultRoles } from './upkeep/default-roles.ts'
import { type Credentials, credentialsIn, kubeconfigOf } from './connection/credentials.ts'
import { handle } from './connection/handle.ts'
import { type Answer, type Listener, listenerOf } from './connection/listener.ts'
import { signerOf } from './authentication/signing.ts'
import type { Environment } from './environment.ts'
import { makeMeter } from './connection/meter.ts'
import { offerMetrics } from './upkeep/metrics-api.ts'
import { bootstrap } from './upkeep/bootstrap.ts'
import { installStored } from './upkeep/definitions.ts'
import { endOldEvents } from './upkeep/event-ages.ts'
import { makeRegistry } from './resources/registry.ts'
import { sqliteJournal } from './storage/journal.ts'
import { openStore, type Store } from './storage/store.ts'

/** How to serve. */
export type KubedOptions = {
  readonly stateDir: string
  readonly host?: string
  /** 0 for a free one. */
  readonly port: number
  readonly disableAdmissionPlugins?: readonly string[]
  /** Also listen without TLS on a free port of 127.0.0.1, same tokens: a hundred watches of one machine need no hundred TLS sessions (60 KB each end). */
  readonly isAlsoPlain?: boolean
  /** How long a client may take to shake hands and to send the head of a request; 30 s. */
  readonly headTimeoutMs?: number
  readonly log?: (line: string) => void
}

/** A request of the largest size over a slow line. */
const BODY_TIMEOUT_MS = 120_000

/** A running server. */
export type Kubed = {
  readonly server: string
  /** The address without TLS; `undefined` unless it was asked for. */
  readonly plainServer: string | undefined
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string
  readonly token: string
  readonly caPem: string
  /** Gives back memory that it only takes to be faster. */
  readonly release: () => void
  readonly close: () => Promise<void>
}

/**
 * Serves the Kubernetes API of one machine over HTTPS, its objects in SQLite below `stateDir`.
 *
 * What is acknowledged is durable; while the disk takes nothing, requests are refused (503) and what was under way waits. Refused by name: admission webhooks and API aggregation.
 * @throws SluiceError PORT_IN_USE, STATE_UNWRITABLE
 */
export async function serveKubed(options: KubedOptions): Promise<Kubed> {
  const { host = '127.0.0.1', headTimeoutMs = 30_000, log = () => {} } = options
  const dir = join(resolve(options.stateDir), 'kubed')
  const credentials = inWritable(dir, () => {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    return credentialsIn(dir, host, Date.now())
  })
  const store = inWritable(dir, () =>
    openStore(sqliteJournal(join(dir, 'objects.db')), {
      nowMs: () => Date.now(),
      failed: (error) =>
        log(`kubed: the state in ${dir} cannot be written, it is tried again until it can: ${textOf(error)}`),
    }),
  )
  const registry = makeRegistry()
  const { caPem, authority, kubeletTls } = credentials
  const env: Environment = {
    store,
    registry,
    meter: makeMeter(Date.now, (...name) => registry.find(...name)),
    nowMs: () => Date.now(),
    random: (bytes) => randomBytes(bytes),
    uuid: () => randomUUID(),
    disabledPlugins: new Set(options.disableAdmissionPlugins),
    flags: flagsOf(options, host),
    signer: signerOf(credentials.accountKey),
    ...{ caPem, authority, kubeletTls, log },
  }
  installStored(env)
  for (const key of ['/nodes', '/pods']) for (const each of store.list(key)) offerMetrics(env, each)
  const patience = patienceOf(headTimeoutMs)
  const answer: Answer = (...request) => handle(env, credentials.token, ...request)
  const server = listenerOf(
    createServer({ ...tlsOf(credentials), ...patience, handshakeTimeout: headTimeoutMs }),
    answer,
  )
  const plain = options.isAlsoPlain ? listenerOf(http.createServer(patience), answer) : undefined
  const listeners = [server, ...(plain ? [plain] : [])]
  const port = await listenOrClose(server, [host, options.port], store)
  const plainPort = await plain?.listen('127.0.0.1', 0)
  const url = `https://${host}:${port}`
  bootstrap(env, { host: advertised(host), port })
  reconcileDefaultRoles(env)
  await store.settled()
  const stopEndingEvents = endOldEvents(store, env.nowMs)
  return {
    server: url,
    plainServer: plainPort === undefined ? undefined : `http://127.0.0.1:${plainPort}`,
    kubeconfig: writeKubeconfig(dir, kubeconfigOf(url, credentials)),
    token: credentials.token,
    caPem: credentials.caPem,
    release: store.release,
    async close() {
      await Promise.all(listeners.map((one) => one.close()))
      stopEndingEvents()
      await store.close()
    },
  }
}

/** Comes before whatever else is opened: that would keep the process when nobody is left to close it. */
async function listenOrClose(server: Listener, [host, port]: [string, number], store: Store): Promise<number> {
  try {
    return await server.listen(host, port)
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Writes the administrator's kubeconfig, whole or not at all; answers where it is. */
function writeKubeconfig(dir: string, text: string): string {
  const path = join(dir, 'admin.kubeconfig')
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
  return path
}

/** The options as kube-apiserver names them. */
function flagsOf({ port, disableAdmissionPlugins = [] }: KubedOptions, host: string): Environment['flags'] {
  return {
    'bind-address': host,
    'disable-admission-plugins': `[${disableAdmissionPlugins.join(',')}]`,
    'event-ttl': '1h0m0s',
    'secure-port': String(port),
  }
}

/** Who opens a connection and does not ask, or does not finish asking, is cut off; answers may take as long as they like. */
function patienceOf(headTimeoutMs: number): http.ServerOptions {
  return {
    keepAliveTimeout: 120_000,
    headersTimeout: headTimeoutMs,
    requestTimeout: Math.max(headTimeoutMs, BODY_TIMEOUT_MS),
    connectionsCheckingInterval: headTimeoutMs,
  }
}

/** Who has a certificate of our authority may show it; a token is as good. */
function tlsOf({ key, certificate, caPem }: Credentials): ServerOptions {
  return { key, cert: `${certificate}${caPem}`, ca: caPem, requestCert: true, rejectUnauthorized: false }
}

function inWritable<T>(dir: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw new SluiceError('STATE_UNWRITABLE', `cannot keep the state of kubed in ${dir}: ${textOf(error)}`, {
      cause: error,
    })
  }
}

/** An address by which others could know this machine, as kube-apiserver chooses one; loopback is no endpoint of a Service. */
function advertised(host: string): string {
  if (isIPv4(host) && !/^(127|0)\./.test(host)) return host
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
