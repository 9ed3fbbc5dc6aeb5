import { statfs } from 'node:fs/promises'
import { freemem } from 'node:os'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Recorder } from '../events.ts'
import { feel, type Felt, type Left, type Pressure } from './pressure.ts'

/** How the machine is, as last looked at. */
export type PressureWatch = {
  readonly felt: () => readonly Felt[]
  /** Looks at the machine; true when it is under another pressure than before. What cannot be measured changes nothing. */
  readonly look: () => Promise<boolean>
}

const WORDS: Readonly<Record<Pressure, readonly [begins: string, ends: string]>> = {
  MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
  DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
}

/** Watches what is left of the machine for a node; `onFull` is called when its disk becomes short. */
export function watchPressure(o: {
  readonly measure: () => Promise<Left>
  readonly monotonicMs: () => number
  readonly record: Recorder
  /** The Node that it is told of; undefined before there is one. */
  readonly node: () => KubeObject | undefined
  readonly onFull: () => void
}): PressureWatch {
  let felt: readonly Felt[] = []
  return {
    felt: () => felt,
    async look() {
      const left = await o.measure().catch(() => undefined)
      if (left === undefined) return false
      const before = felt
      felt = feel(before, left, o.monotonicMs())
      const isUnder = (all: readonly Felt[], pressure: Pressure): boolean =>
        all.some((one) => one.pressure === pressure)
      const changed = PRESSURES.filter((pressure) => isUnder(before, pressure) !== isUnder(felt, pressure))
      const node = o.node()
      for (const pressure of changed) {
        const word = WORDS[pressure][isUnder(felt, pressure) ? 0 : 1]
        if (node) o.record(node, 'Normal', word, `Node ${node.metadata.name} status is now: ${word}`)
      }
      if (changed.includes('DiskPressure') && isUnder(felt, 'DiskPressure')) o.onFull()
      return changed.length > 0
    },
  }
}

const PRESSURES: readonly Pressure[] = ['MemoryPressure', 'DiskPressure']

/** What is left of this machine, and of the disk on which a folder is. */
export async function measureMachine(folder: string, platform: string = process.platform): Promise<Left> {
  const { bavail, bsize, blocks, ffree, files } = await statfs(folder)
  return {
    // elsewhere it leaves out what the system would give back at once
    memoryBytes: platform === 'linux' ? freemem() : Infinity,
    disk: { freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeFiles: ffree, totalFiles: files },
  }
}
