import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ownPorts } from '../support/own-ports.ts'

/** A real etcd and kube-apiserver (and, if asked, the real controllers and scheduler), for one test file. */
export type ControlPlane = {
  readonly kubeconfig: string
  readonly server: string
  readonly token: string
  /** The process of etcd; the API server is a child of it. */
  readonly pid: number
  stop(): Promise<void>
}

/** Where the real control plane is: SLUICE_PEERS, or the cache folder of this user; `undefined` when it is not at hand. */
export function controlPlaneBinary(): string | undefined {
  const path = join(process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers'), 'kube-control-plane')
  return existsSync(path) ? path : undefined
}

/** It chooses ports for its etcd and does not hold them until that listens: somebody else may have one by then. */
const STARTS = 3

/** Starts it on a port of its own in a folder of its own; `stop` ends it and removes the folder. */
export async function startControlPlane(options: { readonly controllers: boolean }): Promise<ControlPlane> {
  const binary = controlPlaneBinary()
  if (binary === undefined) throw new Error('no kube-control-plane at hand')
  for (let start = 1; start <= STARTS; start++) {
    const plane = await tryToStart(binary, options)
    if (plane !== undefined) return plane
  }
  throw new Error(`the control plane ended ${STARTS} times before it was ready`)
}

async function tryToStart(
  binary: string,
  options: { readonly controllers: boolean },
): Promise<ControlPlane | undefined> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-plane-'))
  const alone = options.controllers ? [] : ['--controllers', '', '--scheduler=false']
  const child = spawn(binary, ['up', '--dir', dir, '--port', String(await ownPorts()), ...alone], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await exited
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue
    const { kubeconfig, server, token } = JSON.parse(line) as { kubeconfig: string; server: string; token: string }
    return { kubeconfig, server, token, pid: child.pid ?? 0, stop }
  }
  await stop()
  return undefined
}
