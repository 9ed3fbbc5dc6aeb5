import { existsSync, mkdirSync } from 'node:fs'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { removeTreeSync } from '../../../machine/remove-tree.ts'
import type { PodId, Sandbox, SandboxSpec, Sysctl } from '../driver.ts'
import type { Kept } from '../keeper/messages.ts'
import { logsFolder, podFolder } from '../pod-folder.ts'
import { programOf } from './container.ts'
import { HOLD_SCRIPT } from './init-script.ts'
import { metaOf, type Linux, type Meta } from './kept.ts'
import type { LinuxMode } from './container.ts'
import { TOOL_ENV } from './launch.ts'
import { hasJoined, joinBridge, waitForNamespace } from './network.ts'

/** Words before a program that make the kernel end it with the keeper. */
export const DIE_WITH_KEEPER = ['setpriv', '--pdeathsig', 'KILL', '--'] as const

/** Makes the namespaces of a pod and its network. What a failure leaves of it goes; the folder stays: volumes of a pod that ran before are in it. @throws SluiceError NODE_DRIVER, POD_CONFIG */
export async function createSandbox(
  linux: Linux,
  { uid, name }: PodId,
  { sysctls, sharesProcesses }: SandboxSpec,
): Promise<Sandbox> {
  const { keeper } = linux.launched
  const octet = nextOctet(linux)
  linux.octets.set(uid, octet)
  const key = `sandbox/${uid}`
  mkdirSync(logsFolder(linux.paths.stateDir, uid), { recursive: true, mode: 0o755 })
  try {
    const hold = ['sh', '-c', HOLD_SCRIPT, 'sh', name.slice(0, 63), sharesProcesses ? linux.paths.hold : '']
    const processes = sharesProcesses ? ['-p', '--fork', '--kill-child'] : []
    const argv = [...DIE_WITH_KEEPER, 'unshare', '-n', '-i', '-u', '-m', ...processes, '--', ...hold]
    const meta: Meta = {
      kind: 'sandbox',
      uid,
      ip: `10.42.0.${octet}`,
      hasMounts: true,
      ...(sharesProcesses && { sharesProcesses }),
    }
    const { pid } = await keeper.run({ key, argv, env: TOOL_ENV, cwd: '/', meta })
    await waitForNamespace(pid, linux.launched.pid)
    if (sharesProcesses) await waitForHolder(pid)
    await setSysctls(linux, pid, sysctls)
    return { uid, ip: await joinBridge(keeper, pid, octet) }
  } catch (error) {
    await endPod(linux, uid)
    throw error
  }
}

/** The process namespace of a pod, by the process that made it and stands outside. */
export function processesOf(pid: number): string {
  return `/proc/${pid}/ns/pid_for_children`
}

/** Waits until the first process of a pod stands where it shows nothing of the machine. */
async function waitForHolder(pid: number): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    const first = programOf(pid, 1)
    if (first !== undefined && existsSync(`/proc/${first}/root/ld`)) return
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
  throw new SluiceError('NODE_DRIVER', 'the first process of the pod does not start', { retry: 'backoff' })
}

/** Ends sandboxes that an earlier server was killed over: their pods get new ones. */
export async function removeUnfinished(linux: Linux): Promise<void> {
  const { keeper } = linux.launched
  const remove = async (kept: Kept): Promise<void> => {
    const meta = metaOf(kept)
    if (meta?.kind !== 'sandbox' || kept.exit || (await hasJoined(keeper, kept.pid))) return
    await endPod(linux, meta.uid)
  }
  await Promise.all((await keeper.list()).map(remove))
}

function nextOctet(linux: Linux): number {
  const taken = new Set(linux.octets.values())
  for (let step = 0; step < 253; step++) {
    linux.lastOctet = linux.lastOctet >= 254 ? 2 : linux.lastOctet + 1
    if (!taken.has(linux.lastOctet)) return linux.lastOctet
  }
  throw new SluiceError('NODE_DRIVER', 'every address of 10.42.0.0/24 is taken by a pod', { retry: 'backoff' })
}

/** Ends all processes of a pod, and its mounts and its network with them. */
export async function endPod(linux: Linux, uid: string): Promise<void> {
  const { keeper } = linux.launched
  linux.removing.add(uid)
  const mine = (await keeper.list()).filter((kept) => metaOf(kept)?.uid === uid)
  for (const { key, exit } of mine)
    if (!exit && !(key.startsWith('container/') && (await keeper.signal(key, 'SIGKILL', 1))))
      await keeper.signal(key, 'SIGKILL', 0)
  for (let turn = 0; turn < 250; turn++) {
    const alive = (await keeper.list()).filter((kept) => metaOf(kept)?.uid === uid && !kept.exit)
    if (alive.length === 0) break
    await new Promise((resolve) => setTimeout(resolve, 8))
  }
  for (const { key } of mine) await keeper.forget(key)
  for (let turn = 0; turn < 50 && !linux.cgroups.closePod(uid); turn++)
    await new Promise((resolve) => setTimeout(resolve, 10))
  linux.octets.delete(uid)
  linux.removing.delete(uid)
}

/** Ends a pod that does not come back: what its volumes hold goes as well. */
export async function removePod(linux: Linux, uid: string): Promise<void> {
  await endPod(linux, uid)
  removeTreeSync(podFolder(linux.paths.stateDir, uid))
}

/** What enters the namespaces of a pod; volumes in memory are mounted in its own. */
export function enterSandbox({ pid, meta }: Kept): string[] {
  const hasMounts = typeof meta === 'object' && meta !== null && 'hasMounts' in meta
  return ['nsenter', '-t', String(pid), '-n', '-i', '-u', ...(hasMounts ? ['-m'] : [])]
}

/** The process that holds the namespaces of a pod. @throws SluiceError NODE_DRIVER */
export async function sandboxOf(linux: Linux, uid: string): Promise<Kept> {
  const found = (await linux.launched.keeper.list()).find(({ key, exit }) => key === `sandbox/${uid}` && !exit)
  if (found !== undefined) return found
  throw new SluiceError('NODE_DRIVER', 'the sandbox of the pod is gone', { retry: 'backoff' })
}

/** What runtimes set for each pod: who is not root may listen on every port of it, and ping. */
function usualSysctls({ isSingleId }: LinuxMode): readonly Sysctl[] {
  return [
    { name: 'net.ipv4.ip_unprivileged_port_start', value: '0' },
    { name: 'net.ipv4.ping_group_range', value: `0 ${isSingleId ? 0 : 65_535}` },
  ]
}

/** Its arguments are fours: whether it must be, the name, the file and the value. What must be and cannot is told by its name. */
export const SYSCTL_SCRIPT = `while [ $# -gt 0 ]; do
  if ! why=$({ echo "$4" > "$3"; } 2>&1) && [ "$1" = asked ]; then
    echo "$2 cannot be set: $why"
    exit 1
  fi
  shift 4
done`

/** Sets what the kernel keeps for each pod by itself: the usual where it can be, what the pod asks for in any case. @throws SluiceError POD_CONFIG */
async function setSysctls(linux: Linux, pid: number, asked: readonly Sysctl[]): Promise<void> {
  const words = [
    ...usualSysctls(linux.mode).map((sysctl) => ['usual', sysctl] as const),
    ...asked.map((sysctl) => ['asked', sysctl] as const),
  ].flatMap(([how, { name, value }]) => [how, name, `/proc/sys/${name.replaceAll('.', '/')}`, value])
  const argv = ['nsenter', '-t', String(pid), '-n', '-i', '-u', '--', 'sh', '-c', SYSCTL_SCRIPT, 'sh', ...words]
  const { code, output } = await linux.launched.keeper.exec({ argv, env: TOOL_ENV, timeoutMs: 10_000 })
  if (code !== 0) throw new SluiceError('POD_CONFIG', `sysctl ${output.trim()}`)
}
