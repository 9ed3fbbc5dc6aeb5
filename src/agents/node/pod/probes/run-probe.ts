import http from 'node:http'
import { connect as connectTls } from 'node:tls'
import type { ContainerId, Driver } from '../../driver.ts'
import { checkGrpc } from './grpc-check.ts'
import type { Target } from '../../keeper/messages.ts'
import type { Action, Container, HttpGet } from '../shapes.ts'

/** What a probe or hook answered. */
export type ActionResult = { readonly ok: boolean; readonly message: string }

/** Runs a probe or hook against a container; never throws. Longer than `timeoutMs` is a failure. */
export async function runAction(
  driver: Driver,
  target: { readonly id: ContainerId; readonly container: Container; readonly ip: string },
  action: Action,
  timeoutMs: number,
): Promise<ActionResult> {
  try {
    if (action.exec) {
      const { code, output, timedOut } = await driver.exec(target.id, action.exec.command ?? [], timeoutMs)
      if (timedOut) return { ok: false, message: `command timed out after ${timeoutMs / 1000}s` }
      return { ok: code === 0, message: output.trim().slice(0, 1024) }
    }
    if (action.httpGet) return await httpGet(driver, target, action.httpGet, timeoutMs)
    if (action.tcpSocket) {
      const { port, host } = action.tcpSocket
      await driver.greet({ host: host ?? target.ip, port: portOf(target.container, port) }, '', timeoutMs)
      return { ok: true, message: '' }
    }
    if (action.grpc) return await grpc(driver, target.ip, action.grpc, timeoutMs)
    if (action.sleep) return { ok: true, message: '' }
    return { ok: false, message: 'probes of this kind are not supported by this node' }
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) }
  }
}

async function grpc(
  driver: Driver,
  host: string,
  { port, service }: NonNullable<Action['grpc']>,
  timeoutMs: number,
): Promise<ActionResult> {
  const authority = `${host}:${port}`
  return checkGrpc(await driver.connect({ host, port }), { authority, service: service ?? '', timeoutMs })
}

function portOf(container: Container, port: number | string): number {
  if (typeof port === 'number') return port
  const named = container.ports?.find(({ name }) => name === port)
  const number = named?.containerPort ?? Number(port)
  if (!(number > 0)) throw new Error(`the container has no port named "${port}"`)
  return number
}

async function httpGet(
  driver: Driver,
  { container, ip }: { readonly container: Container; readonly ip: string },
  get: HttpGet,
  timeoutMs: number,
): Promise<ActionResult> {
  const at = { host: get.host ?? ip, port: portOf(container, get.port) }
  const request = renderGet(get, at)
  const isTls = get.scheme?.toUpperCase() === 'HTTPS'
  const line = isTls ? await greetByTls(driver, at, request, timeoutMs) : await driver.greet(at, request, timeoutMs)
  const status = Number(/^HTTP\/1\.\d (\d{3})\b/.exec(line)?.[1])
  if (Number.isNaN(status))
    return { ok: false, message: `malformed HTTP response ${JSON.stringify(line.slice(0, 100))}` }
  const ok = status >= 200 && status < 400
  return { ok, message: ok ? '' : `HTTP probe failed with statuscode: ${status}` }
}

/** The request of a probe; the action's headers replace ours of the same name. Throws when a header would say more than itself. */
export function renderGet(get: HttpGet, at: Target): string {
  const headers = new Map([
    ['host', ['Host', `${at.host}:${at.port}`]],
    ['user-agent', ['User-Agent', 'kube-probe/1.37']],
    ['accept', ['Accept', '*/*']],
    ['connection', ['Connection', 'close']],
  ])
  for (const { name, value } of get.httpHeaders ?? []) {
    http.validateHeaderName(name)
    http.validateHeaderValue(name, value)
    headers.set(name.toLowerCase(), [name, value])
  }
  const path = `/${(get.path ?? '/').replace(/^\//, '')}`.replace(/[^\x21-\x7e]+/g, encodeURIComponent)
  const lines = [...headers.values()].map(([name, value]) => `${name}: ${value}`)
  return [`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n')
}

async function greetByTls(driver: Driver, at: Target, request: string, timeoutMs: number): Promise<string> {
  return withTimeout(timeoutMs, async (signal) => {
    const socket = connectTls({ socket: await driver.connect(at), rejectUnauthorized: false })
    signal.addEventListener('abort', () => socket.destroy())
    socket.write(request, 'latin1')
    try {
      let text = ''
      for await (const chunk of socket) {
        text += String(chunk)
        if (text.includes('\n') || text.length > 4096) break
      }
      return text.split('\n', 1)[0]?.trimEnd() ?? ''
    } finally {
      socket.destroy()
    }
  })
}

async function withTimeout<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      stop.abort()
      reject(new Error('context deadline exceeded (timeout while awaiting headers)'))
    }, timeoutMs)
  })
  const result = work(stop.signal)
  result.catch(() => undefined)
  return Promise.race([result, late]).finally(() => clearTimeout(timer))
}
