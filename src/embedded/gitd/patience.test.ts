import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgePeer, PATIENCE } from './patience.ts'

const EVERY_MS = 5_000
const BURST = 2 << 20

const rows: { it: string; moved: (seconds: number) => number; turn?: (seconds: number) => boolean; want: string }[] = [
  { it: 'that moves nothing', moved: () => 0, want: 'slow after 10 s' },
  { it: 'that moves ten bytes a second', moved: () => 50, want: 'slow after 15 s' },
  { it: 'that moves 16 KiB a second', moved: () => EVERY_MS * 16.384, want: 'well' },
  {
    it: 'of 100 KiB a second whose kernel takes 2 MiB at once',
    moved: (at) => (at % 20 === 5 ? BURST : 0),
    want: 'well',
  },
  {
    it: 'of 40 KiB a second whose kernel takes 2 MiB at once',
    moved: (at) => (at % 50 === 5 ? BURST : 0),
    want: 'well',
  },
  { it: 'that stops after 1 GiB', moved: (at) => (at === 5 ? 1 << 30 : 0), want: 'silent after 65 s' },
  { it: 'that trickles after 1 GiB', moved: (at) => (at === 5 ? 1 << 30 : 1), want: 'slow after 80 s' },
  { it: 'that waits for us', moved: () => 0, turn: () => false, want: 'well' },
  { it: 'that we let wait first', moved: () => 0, turn: (at) => at > 300, want: 'slow after 310 s' },
]
for (const { it, moved, turn = () => true, want } of rows)
  test(`a peer ${it} is ${want}`, () => {
    const judge = judgePeer(PATIENCE)
    let seconds = 0
    let verdict = 'well'
    while (verdict === 'well' && seconds < 600) {
      seconds += EVERY_MS / 1000
      verdict = judge(moved(seconds), EVERY_MS, turn(seconds))
    }
    assert.equal(verdict === 'well' ? verdict : `${verdict} after ${seconds} s`, want)
  })
