import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { down } from '../../src/app/cli/servers/down.ts'
import { findAccess } from '../../src/app/state/access.ts'
import { identityOf } from '../../src/app/state/process-identity.ts'
import { holderOf, needStateFolder } from '../../src/app/state/state-folder.ts'

const [THEY, WE] = [65533, 65534]
const isRoot = process.getuid?.() === 0

/** Root asks as somebody else, whom it may become for as long as nothing is awaited. */
function asOrdinaryUser<T>(work: () => T): T {
  if (!isRoot) return work()
  process.seteuid?.(WE)
  try {
    return work()
  } finally {
    process.seteuid?.(0)
  }
}

function maySignal(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const dir = mkdtempSync(join(tmpdir(), 'sluice-other-user-'))
chmodSync(dir, 0o755)
after(() => rmSync(dir, { recursive: true }))

const fileOf = (name: string, value: unknown, mode: number): string => {
  const path = join(dir, name)
  writeFileSync(path, JSON.stringify(value))
  chmodSync(path, mode)
  return path
}

for (const [name, ask] of [
  ['lock.json', holderOf],
  ['access.json', findAccess],
] as const)
  test(`${name} that another user alone may read is no sign that nothing runs`, () => {
    assert.equal(ask(dir), undefined)
    const where = fileOf(name, {}, 0o000)
    const told = { code: 'STATE_UNREADABLE', message: /EACCES/, where, hint: /sudo -u USER/ }
    assert.throws(() => asOrdinaryUser(() => ask(dir)), told)
    rmSync(where)
  })

test('a state folder into which another user alone may look is no empty one', () => {
  const where = join(dir, 'closed')
  mkdirSync(where, { mode: 0o000 })
  assert.throws(() => asOrdinaryUser(() => needStateFolder(where)), { code: 'STATE_UNREADABLE', where })
})

const isClosed = isRoot && (statSync(tmpdir()).mode & 1) === 0
const closed = isClosed && 'others may not enter the folder for temporary files'
// for who is not root the first process of the machine is another's, but in a container, where it would be ended
const ours = !isRoot && maySignal(1) && 'the first process is of this user'
test(
  'down says that the process of another user may not be stopped, and does not wait for it',
  { skip: closed || ours },
  async () => {
    const other = isRoot ? spawn('sleep', ['3600'], { uid: THEY, stdio: 'ignore' }) : undefined
    try {
      const pid = other?.pid ?? 1
      fileOf('lock.json', identityOf(pid), 0o644)
      const io = { out() {}, err() {}, env: {}, cwd: dir, isTty: false, signal: new AbortController().signal }
      const told = {
        code: 'NOT_PERMITTED',
        message: `process ${pid} runs on ${dir}, and is of another user`,
        where: dir,
        hint: `stop it as that user, or: sudo kill ${pid}`,
      }
      await assert.rejects(
        asOrdinaryUser(() => down.run(['--state', dir], io)),
        told,
      )
    } finally {
      other?.kill('SIGKILL')
    }
  },
)
