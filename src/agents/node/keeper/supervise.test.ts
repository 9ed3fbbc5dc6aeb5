import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openLog } from './log.ts'
import { makeSupervisor } from './supervise.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-supervise-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const supervisor = makeSupervisor({ openLog, logLimitBytes: 1024, onExit: () => undefined })
const env = { PATH: process.env.PATH ?? '' }

test('a short program has ended when it ends, whatever it left behind with its output', async () => {
  const argv = ['sh', '-c', 'sleep 20 & echo done']
  assert.deepEqual(await supervisor.exec({ argv, env, timeoutMs: 8_000 }), {
    code: 0,
    output: 'done\n',
    timedOut: false,
  })
})

test('what is killed after its time is told, whatever it left behind', async () => {
  const argv = ['sh', '-c', 'setsid sleep 20 & sleep 20']
  const { timedOut } = await supervisor.exec({ argv, env, timeoutMs: 200 })
  assert.equal(timedOut, true)
})

test('the log of a process that cannot be started is closed', { skip: !existsSync('/proc/self/fd') }, () => {
  const log = join(folder, 'log')
  const argv = ['true', 'x'.repeat(4 * 1024 * 1024)]
  assert.throws(() => supervisor.run({ key: 'long', argv, env, cwd: '/', log }), { code: 'E2BIG' })
  const open = readdirSync('/proc/self/fd').filter((fd) => linkOf(fd) === log)
  assert.deepEqual(open, [])
})

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ''
  }
}
