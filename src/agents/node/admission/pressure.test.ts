import assert from 'node:assert/strict'
import { test } from 'node:test'
import { feel, type Felt, type Left } from './pressure.ts'

const GIB = 1024 ** 3
const calm: Left = {
  memoryBytes: GIB,
  disk: { freeBytes: 50 * GIB, totalBytes: 100 * GIB, freeFiles: 1e6, totalFiles: 2e6 },
}
const disk = (more: Partial<Left['disk']>): Left => ({ ...calm, disk: { ...calm.disk, ...more } })
const felt: Felt[] = [{ pressure: 'DiskPressure', atMs: 1_000 }]

const cases: { it: string; left: Left; before?: Felt[]; nowMs?: number; want: string[] }[] = [
  { it: 'with room is under none', left: calm, want: [] },
  {
    it: 'with less than 100 MiB of memory',
    left: { ...calm, memoryBytes: 100 * 1024 ** 2 - 1 },
    want: ['MemoryPressure'],
  },
  { it: 'with less than 1 GiB of a large disk', left: disk({ freeBytes: GIB - 1 }), want: ['DiskPressure'] },
  { it: 'with 1 GiB of a large disk', left: disk({ freeBytes: GIB }), want: [] },
  {
    it: 'with less than a tenth of a small disk',
    left: disk({ freeBytes: GIB / 11, totalBytes: GIB }),
    want: ['DiskPressure'],
  },
  { it: 'with few files left', left: disk({ freeFiles: 19_999 }), want: ['DiskPressure'] },
  { it: 'on a file system that counts no files', left: disk({ freeFiles: 0, totalFiles: 0 }), want: [] },
  { it: 'that had none a moment ago', left: calm, before: felt, nowMs: 20_999, want: ['DiskPressure'] },
  { it: 'that has had room again for a while', left: calm, before: felt, nowMs: 21_000, want: [] },
]
for (const { it, left, before = [], nowMs = 0, want } of cases)
  test(`a machine ${it}: ${want.join(', ') || 'no pressure'}`, () => {
    assert.deepEqual(
      feel(before, left, nowMs).map(({ pressure }) => pressure),
      want,
    )
  })
