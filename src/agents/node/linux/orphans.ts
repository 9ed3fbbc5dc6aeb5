import { readFileSync, readlinkSync } from 'node:fs'
import { programOf } from './container.ts'
import { metaOf, type Linux } from './kept.ts'

const MOST_TURNS = 200

/**
 * Ends what containers that are over left running in the process namespace of their pod; in one of its own the kernel does it. They are known by
 * their mount namespace, which is nobody's any more. What was started by exec has none of its container's, and goes on to the end of the pod.
 */
export async function endOrphans(linux: Linux, uid: string): Promise<void> {
  const { keeper, pid: keeperPid } = linux.launched
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const alive = (await keeper.list()).filter((kept) => kept.exit === undefined && metaOf(kept)?.uid === uid)
    const sandbox = alive.find(({ key }) => key === `sandbox/${uid}`)
    const meta = sandbox && metaOf(sandbox)
    if (sandbox === undefined || meta?.kind !== 'sandbox' || meta.sharesProcesses !== true) return
    const used = new Set([keeperPid, ...alive.map(({ pid }) => pid)].map(mountsOf))
    const orphans = childrenOf(programOf(sandbox.pid, 1)).filter((pid) => {
      const mounts = mountsOf(pid)
      return mounts !== undefined && !used.has(mounts)
    })
    if (orphans.length === 0) return
    // their children are the next to be nobody's
    for (const pid of orphans) end(pid)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function mountsOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`)
  } catch {
    return undefined
  }
}

function childrenOf(pid: number | undefined): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return text === '' ? [] : text.split(' ').map(Number)
  } catch {
    return []
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // ended by itself
  }
}
