import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startTimeOf } from '../../../agents/node/linux/keeper-record.ts'
import type { Io } from '../command.ts'
import { down } from './down.ts'

const cases: { it: string; folder: string; startTime: string | undefined; want: [code: number, said: RegExp] }[] = [
  { it: 'tells of pods that a start has left', folder: '.', startTime: startTimeOf(process.pid), want: [1, /pods do/] },
  {
    it: 'tells of pods without isolation, too',
    folder: 'process',
    startTime: startTimeOf(process.pid),
    want: [1, new RegExp(`kill ${process.pid}$`)],
  },
  {
    it: 'takes no later process of that number for the one that kept pods',
    folder: '.',
    startTime: '1',
    want: [0, /^nothing runs on /],
  },
]
for (const { it, folder, startTime, want } of cases)
  test(`down ${it}`, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-down-'))
    t.after(() => rmSync(dir, { recursive: true }))
    mkdirSync(join(dir, 'node', folder), { recursive: true })
    writeFileSync(join(dir, 'node', folder, 'keeper.json'), JSON.stringify({ pid: process.pid, startTime }))
    const lines: string[] = []
    const io = { cwd: dir, env: {}, out: () => undefined, err: (line: string) => void lines.push(line) }
    const code = await down.run(['--state', dir], io as unknown as Io)
    assert.equal(code, want[0])
    assert.match(lines.join('\n'), want[1])
  })
