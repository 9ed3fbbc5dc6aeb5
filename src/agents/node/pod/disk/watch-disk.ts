import type { Stats } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { NodeContext } from '../context.ts'
import type { Verdict } from '../decide.ts'
import { type DiskUse, limitsDisk, whyEvicted } from './eviction.ts'
import { containersOf, type Pod, uidOf } from '../shapes.ts'

/** As a kubelet looks. */
const EVERY_MS = 10_000
/** A block as `stat` counts them. */
const BLOCK_BYTES = 512

/** Looks every ten seconds what a running pod has on the disk, where anything limits that; tells once when it is too much. */
export function watchDisk(
  context: NodeContext,
  running: () => Pod | undefined,
  onTooMuch: (why: Verdict) => void,
): { readonly stop: () => void } {
  let cancel: () => void = () => undefined
  const look = async (): Promise<void> => {
    const pod = running()
    if (pod === undefined || context.driver().isSimulated) return
    const why = whyEvicted(pod, await useOf(context, pod))
    if (running() === undefined) return
    if (why === undefined) return void later()
    context.record(pod, 'Warning', why.reason, why.message)
    onTooMuch(why)
  }
  const later = (): void => {
    cancel = context.clock.after(EVERY_MS, () => void look().catch(later))
  }
  const first = running()
  if (first !== undefined && limitsDisk(first)) later()
  return { stop: () => cancel() }
}

async function useOf({ driver }: NodeContext, pod: Pod): Promise<DiskUse> {
  const uid = uidOf(pod)
  const { spec } = pod
  const volumes = new Map<string, number>()
  for (const { name, emptyDir } of spec.volumes ?? [])
    if (emptyDir !== undefined && emptyDir.medium !== 'Memory')
      volumes.set(name, await bytesBelow(join(driver().podFolder(uid), 'volumes', name)))
  const containers = new Map<string, number>()
  for (const { name } of containersOf(spec)) {
    const written = driver().writtenFolder?.(uid, name)
    const own = written === undefined ? 0 : await bytesBelow(written)
    containers.set(name, own + (await bytesOfLogs(driver().logPath({ uid, container: name, attempt: 0 }), name)))
  }
  return { volumes, containers }
}

/** The logs of all runs of a container lie side by side. */
async function bytesOfLogs(path: string, container: string): Promise<number> {
  return bytesBelow(dirname(path), (name) => name.startsWith(`${container}.`))
}

/** What a folder takes on its disk; what cannot be read, or goes meanwhile, takes nothing. */
async function bytesBelow(folder: string, isMeant: (name: string) => boolean = () => true): Promise<number> {
  let bytes = 0
  try {
    for await (const entry of await opendir(folder)) {
      if (!isMeant(entry.name)) continue
      const path = join(folder, entry.name)
      bytes += await lstat(path).then(sizeOf, nothing)
      if (entry.isDirectory()) bytes += await bytesBelow(path)
    }
  } catch {
    return bytes
  }
  return bytes
}

const nothing = (): number => 0

/** A file with several names is counted in parts. */
function sizeOf(stats: Stats): number {
  return (stats.blocks * BLOCK_BYTES) / (stats.isDirectory() ? 1 : Math.max(stats.nlink, 1))
}
