import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { nearFolder } from '../../../machine/near-folder.ts'
import { connectKeeper, type KeeperClient } from '../keeper/client.ts'
import type { Kept } from '../keeper/messages.ts'
import { keeperSource } from '../keeper/source.ts'
import { readKeeper, removeKeeper, startTimeOf, writeKeeper } from './keeper-record.ts'

/** How the keeper of a node is found or started. */
export type LaunchOptions = {
  readonly stateDir: string
  /** In user and network namespaces of its own. */
  readonly isolated: boolean
  readonly onExit: (kept: Kept) => void
  readonly onGone: () => void
}

/** A keeper, and whether it was there before. */
export type Launched = {
  readonly keeper: KeeperClient
  readonly pid: number
  readonly isAdopted: boolean
  readonly ids: IdMap
}

/** The ids that exist inside, as lines of `/proc/PID/uid_map`. */
export type IdMap = { readonly uid: string; readonly gid: string; readonly isSingle: boolean }

/** The environment of every process that is ours, and of none that is a container's. */
export const TOOL_ENV = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } as const

/**
 * Finds the keeper that an earlier server left running, or ends what is left of it and starts a new one.
 *
 * @throws SluiceError NODE_KEEPER when it cannot be started (the message says why)
 */
export async function launchKeeper(o: LaunchOptions): Promise<Launched> {
  mkdirSync(o.stateDir, { recursive: true, mode: 0o700 })
  const socketPath = socketOf(o.stateDir)
  const ids = idMap()
  const record = readKeeper(o.stateDir)
  const found = await connectKeeper({ ...o, socketPath }).catch(() => undefined)
  if (found !== undefined && record !== undefined) return { keeper: found, pid: record.pid, isAdopted: true, ids }
  await found?.stop()
  if (record !== undefined && startTimeOf(record.pid) === record.startTime) process.kill(record.pid, 'SIGKILL')
  const pid = await startKeeper(o, socketPath, ids)
  writeKeeper(o.stateDir, pid)
  const keeper = await connectKeeper({ ...o, socketPath })
  return { keeper, pid, isAdopted: false, ids }
}

/** Forgets a keeper that was stopped. */
export function forgetKeeper(stateDir: string): void {
  removeKeeper(stateDir)
  rmSync(socketOf(stateDir), { force: true })
}

async function startKeeper(o: LaunchOptions, socketPath: string, ids: IdMap): Promise<number> {
  const source = join(o.stateDir, 'keeper.mjs')
  writeFileSync(source, keeperSource())
  const program = [process.execPath, '--max-old-space-size=128', '--max-semi-space-size=1', source, socketPath]
  const waitThenRun = ['sh', '-c', 'read -r go && exec "$@"', 'sh', ...program]
  const argv = o.isolated ? ['unshare', '-U', '-n', '--', ...waitThenRun] : waitThenRun
  const log = openSync(join(o.stateDir, 'keeper.log'), 'a', 0o600)
  const child = spawn(argv[0] ?? '', argv.slice(1), {
    env: TOOL_ENV,
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'pipe', log],
  })
  closeSync(log)
  child.unref()
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill('SIGKILL')
      reject(
        new SluiceError('NODE_KEEPER', `the process that keeps the pods does not start: ${why}`, { retry: 'backoff' }),
      )
    }
    const timer = setTimeout(() => fail('no sign of life after 10 s'), 10_000)
    child.on('error', (error) => fail(error.message))
    child.on('exit', () => {
      clearTimeout(timer)
      fail(lastLine(join(o.stateDir, 'keeper.log')))
    })
    child.stdout?.once('data', () => {
      clearTimeout(timer)
      child.removeAllListeners('exit')
      child.stdout?.destroy()
      child.stdin?.destroy()
      resolve(child.pid ?? 0)
    })
    child.stdin?.on('error', () => undefined)
    void mapThenGo(o.isolated, child.pid ?? 0, ids)
      .then(() => child.stdin?.write('go\n'))
      .catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)))
  })
}

/** Waits until the process is in its user namespace, then says which ids exist there. */
async function mapThenGo(isolated: boolean, pid: number, ids: IdMap): Promise<void> {
  if (!isolated || pid === 0) return
  const own = readLinkText('/proc/self/ns/user')
  for (let turn = 0; readLinkText(`/proc/${pid}/ns/user`) === own; turn++) {
    if (turn > 500) throw new Error('unshare does not reach its user namespace')
    await new Promise((resolve) => setTimeout(resolve, 4))
  }
  if (ids.isSingle) writeFileSync(`/proc/${pid}/setgroups`, 'deny')
  writeFileSync(`/proc/${pid}/gid_map`, ids.gid)
  writeFileSync(`/proc/${pid}/uid_map`, ids.uid)
}

/** Root keeps its first 65,536 ids; anybody else has one id, which is root inside. */
function idMap(): IdMap {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  const wide = (file: string): string[] =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
      .filter(([inside = 0]) => inside < 65_536)
      .map(([inside = 0, , count = 0]) => `${inside} ${inside} ${Math.min(count, 65_536 - inside)}`)
  const uids = uid === 0 ? wide('/proc/self/uid_map') : [`0 ${uid} 1`]
  const gids = uid === 0 ? wide('/proc/self/gid_map') : [`0 ${gid} 1`]
  return { uid: uids.join('\n'), gid: gids.join('\n'), isSingle: uids.length === 1 && / 1$/.test(uids[0] ?? '') }
}

/** The path of a socket in a state folder, or near to it where that path is too long for one. */
export function socketOf(stateDir: string, name = 'keeper.sock'): string {
  const near = join(stateDir, name)
  return near.length < 100 ? near : join(nearFolder('sluice', stateDir), name)
}

function readLinkText(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

function lastLine(path: string): string {
  return readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? 'it ended'
}
