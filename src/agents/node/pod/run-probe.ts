import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ContainerId, Driver } from '../driver.ts'
import type { Action, Container } from './shapes.ts'

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
    if (action.httpGet) return await withTimeout(timeoutMs, (signal) => httpGet(driver, target, action, signal))
    if (action.tcpSocket) {
      const { port, host } = action.tcpSocket
      const socket = await withTimeout(timeoutMs, () =>
        driver.connect({ host: host ?? target.ip, port: portOf(target.container, port) }),
      )
      socket.destroy()
      return { ok: true, message: '' }
    }
    if (action.sleep) return { ok: true, message: '' }
    return { ok: false, message: 'probes of this kind are not supported by this node' }
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) }
  }
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
  { httpGet: get }: Action,
  signal: AbortSignal,
): Promise<ActionResult> {
  if (get === undefined) throw new Error('no httpGet')
  const port = portOf(container, get.port)
  const host = get.host ?? ip
  const socket = await driver.connect({ host, port })
  const isTls = get.scheme?.toUpperCase() === 'HTTPS'
  const path = `/${(get.path ?? '/').replace(/^\//, '')}`
  const headers: Record<string, string> = {
    Host: `${host}:${port}`,
    'User-Agent': 'kube-probe/1.33',
    Connection: 'close',
  }
  for (const { name, value } of get.httpHeaders ?? []) headers[name] = value
  const createConnection = (): Socket => (isTls ? connectTls({ socket, rejectUnauthorized: false }) : socket)
  const client = isTls ? https : http
  return new Promise((resolve, reject) => {
    const request = client.request({ host, port, path, headers, createConnection, signal }, (response) => {
      const status = response.statusCode ?? 0
      response.resume()
      socket.destroy()
      const ok = status >= 200 && status < 400
      resolve({ ok, message: ok ? '' : `HTTP probe failed with statuscode: ${status}` })
    })
    request.on('error', (error) => {
      socket.destroy()
      reject(error)
    })
    request.end()
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
