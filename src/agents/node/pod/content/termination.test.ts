import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Driver } from '../../driver.ts'
import { terminationMessage } from './termination.ts'

const T = '2026-11-27T00:00:00.000000000Z'

function lastWords(t: TestContext, o: { message: string; log: string; code: number; policy?: string }): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-words-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'messages'))
  writeFileSync(join(folder, 'messages', 'web.0'), o.message)
  writeFileSync(join(folder, 'log'), o.log)
  const driver = {
    isSimulated: false,
    podFolder: () => folder,
    logPath: () => join(folder, 'log'),
  } as unknown as Driver
  const run = {
    uid: 'u',
    container: 'web',
    attempt: 0,
    startedAtMs: 0,
    imageId: '',
    exit: { code: o.code, signal: undefined, atMs: 0 },
  }
  const policy = o.policy === undefined ? {} : { terminationMessagePolicy: o.policy }
  return terminationMessage(driver, run, { name: 'web', image: 'x', ...policy })
}

const log = `${T} stdout F first\n${T} stderr F last\n`
const open = `${T} stdout P a \n${T} stdout F line\n${T} stdout P DONE\n`
const cases: { it: string; o: Parameters<typeof lastWords>[1]; want: string }[] = [
  { it: 'what it wrote, to the byte', o: { message: 'why\n', log, code: 1 }, want: 'why\n' },
  { it: 'the end of what is too long', o: { message: `a${'b'.repeat(4096)}`, log, code: 1 }, want: 'b'.repeat(4096) },
  { it: 'nothing of its log unless it wants that', o: { message: '', log, code: 1 }, want: '' },
  {
    it: 'the end of its log',
    o: { message: '', log, code: 1, policy: 'FallbackToLogsOnError' },
    want: 'first\nlast\n',
  },
  {
    it: 'the end of its log as it was printed',
    o: { message: '', log: open, code: 1, policy: 'FallbackToLogsOnError' },
    want: 'a line\nDONE',
  },
  { it: 'no log when it ended well', o: { message: '', log, code: 0, policy: 'FallbackToLogsOnError' }, want: '' },
]
for (const { it, o, want } of cases)
  test(`the last words of a container are ${it}`, (t) => assert.equal(lastWords(t, o), want))
