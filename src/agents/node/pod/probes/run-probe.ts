import { timerMs } from '../../../../machine/timers.ts'
import type { ContainerId, Driver } from '../../driver.ts'
import { expandVariables } from '../content/env.ts'
import type { Action, Container } from '../shapes.ts'
import { checkGrpc } from './grpc-check.ts'
import { checkHttp, inGo } from './http-check.ts'
import type { ActionResult } from './probe-state.ts'

/** What is asked. */
export type ActionTarget = { readonly id: ContainerId; readonly container: Container; readonly ip: string }

/** Runs a probe against a container; never throws. Longer than `patienceMs` is a failure; what cannot be asked at all is unknown. */
export async function runProbe(
  driver: Driver,
  target: ActionTarget,
  probe: Action,
  patienceMs: number,
): Promise<ActionResult> {
  const timeoutMs = timerMs(patienceMs)
  try {
    if (probe.exec) {
      // of the variables a probe sees those that the pod spells out
      const env = new Map((target.container.env ?? []).map(({ name, value = '' }) => [name, value]))
      const command = (probe.exec.command ?? []).map((word) => expandVariables(word, env))
      return await execIn(driver, target.id, command, timeoutMs)
    }
    if (probe.httpGet) {
      const { host, port } = probe.httpGet
      const at = { host: host ?? target.ip, port: portOf(target.container, port) }
      return await checkHttp(driver, probe.httpGet, at, timeoutMs)
    }
    if (probe.tcpSocket) return await dial(driver, target, probe.tcpSocket, timeoutMs)
    if (probe.grpc) return await grpc(driver, target.ip, probe.grpc, timeoutMs)
    return { ok: false, isUnknown: true, message: 'probes of this kind are not supported by this node' }
  } catch (error) {
    return { ok: false, isUnknown: true, message: textOf(error) }
  }
}

/** Runs a hook that is a program or a request; never throws. Whatever a request is answered, it was heard. */
export async function runHook(
  driver: Driver,
  target: ActionTarget,
  { exec, httpGet, tcpSocket }: Action,
  patienceMs: number,
): Promise<ActionResult> {
  const timeoutMs = timerMs(patienceMs)
  try {
    if (exec) return await execIn(driver, target.id, exec.command ?? [], timeoutMs)
    if (tcpSocket) return await dial(driver, target, tcpSocket, timeoutMs)
    if (!httpGet) return { ok: false, message: 'hooks of this kind are not supported by this node' }
    const at = { host: httpGet.host ?? target.ip, port: portOf(target.container, httpGet.port) }
    const { httpHeaders = [] } = httpGet
    const isNamed = httpHeaders.some(({ name }) => name.toLowerCase() === 'user-agent')
    const get = isNamed ? httpGet : { ...httpGet, httpHeaders: [...httpHeaders, HOOK_AGENT] }
    const { ok, message } = await checkHttp(driver, get, at, timeoutMs)
    return { ok: ok || message.startsWith('HTTP probe failed with statuscode'), message }
  } catch (error) {
    return { ok: false, message: textOf(error) }
  }
}

const HOOK_AGENT = { name: 'User-Agent', value: 'kube-lifecycle/1.37' }

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

async function execIn(
  driver: Driver,
  id: ContainerId,
  command: readonly string[],
  timeoutMs: number,
): Promise<ActionResult> {
  const { code, output, timedOut } = await driver.exec(id, command, timeoutMs)
  const late = `command timed out: ${JSON.stringify(command.join(' '))} timed out after ${timeoutMs / 1000}s`
  return timedOut ? { ok: false, message: late } : { ok: code === 0, message: output.trimEnd().slice(0, 1024) }
}

async function dial(
  driver: Driver,
  { container, ip }: ActionTarget,
  { host = ip, port }: NonNullable<Action['tcpSocket']>,
  timeoutMs: number,
): Promise<ActionResult> {
  const at = { host, port: portOf(container, port) }
  try {
    await driver.greet(at, '', timeoutMs)
    return { ok: true, message: '' }
  } catch (error) {
    const why = inGo(error, at)
    return {
      ok: false,
      message: why.startsWith('context deadline') ? `dial tcp ${at.host}:${at.port}: i/o timeout` : why,
    }
  }
}

async function grpc(
  driver: Driver,
  host: string,
  { port, service }: NonNullable<Action['grpc']>,
  timeoutMs: number,
): Promise<ActionResult> {
  const authority = `${host}:${port}`
  try {
    return await checkGrpc(await driver.connect({ host, port }), { authority, service: service ?? '', timeoutMs })
  } catch (error) {
    return { ok: false, message: textOf(error) }
  }
}

function portOf(container: Container, port: number | string): number {
  const number = typeof port === 'number' ? port : container.ports?.find(({ name }) => name === port)?.containerPort
  if (number === undefined) throw new Error(`port ${JSON.stringify(port)} not found`)
  return number
}
