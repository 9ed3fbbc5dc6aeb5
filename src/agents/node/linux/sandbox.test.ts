import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Linux } from './kept.ts'
import { createSandbox, removePod, removeUnfinished, SYSCTL_SCRIPT } from './sandbox.ts'

/** A driver whose keeper starts nothing, with a pod that has written to a volume. */
function brokenDriver(
  t: TestContext,
  list: () => readonly object[],
): { linux: Linux; written: string; closed: readonly string[] } {
  const stateDir = mkdtempSync(join(tmpdir(), 'sandbox-'))
  t.after(() => rmSync(stateDir, { recursive: true }))
  const volume = join(stateDir, 'pods', 'u', 'volumes', 'data')
  mkdirSync(volume, { recursive: true })
  const written = join(volume, 'file')
  writeFileSync(written, 'kept')
  const closed: string[] = []
  const keeper = {
    list: async () => list(),
    run: () => Promise.reject(new Error('fork: resource temporarily unavailable')),
    exec: async () => ({ code: 1, output: '', timedOut: false }),
    signal: async () => true,
    forget: async () => undefined,
  }
  const linux: unknown = {
    ...{ launched: { keeper, pid: 1 }, octets: new Map(), removing: new Set(), lastOctet: 1 },
    paths: { stateDir },
    cgroups: { closePod: (uid: string) => closed.push(uid) > 0 },
  }
  return { linux: linux as Linux, written, closed }
}

test('a sandbox that cannot be made takes no volume of its pod with it', async (t) => {
  const { linux, written } = brokenDriver(t, () => [])
  await assert.rejects(
    createSandbox(linux, { uid: 'u', namespace: 'shop', name: 'web' }, { sysctls: [], sharesProcesses: false }),
    /resource temporarily unavailable/,
  )
  assert.ok(existsSync(written))
  assert.equal(linux.octets.size, 0)
})

test('a sandbox that was not finished goes, and the volumes of its pod stay until the pod is removed', async (t) => {
  const meta = { kind: 'sandbox', uid: 'u', ip: '10.42.0.2' }
  let looks = 0
  // ends when it is told to, which the third look sees
  const { linux, written } = brokenDriver(t, () => [
    { key: 'sandbox/u', pid: 2, startedAtMs: 0, meta, ...(++looks > 2 && { exit: { code: 137, atMs: 1 } }) },
  ])
  await removeUnfinished(linux)
  assert.ok(looks > 2)
  assert.ok(existsSync(written))
  await removePod(linux, 'u')
  assert.ok(!existsSync(written))
})

test('the control groups of a pod go with it, though the keeper knows nothing of its containers', async (t) => {
  const { linux, closed } = brokenDriver(t, () => [])
  await removePod(linux, 'u')
  assert.deepEqual(closed, ['u'])
})

test('of settings of the kernel the one that the pod asks for and cannot have is named', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sysctls-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const words = [
    ...['usual', 'net.a', join(dir, 'nowhere', 'a'), '1'],
    ...['asked', 'net.b', join(dir, 'b'), '1 2'],
    ...['asked', 'net.c', '/dev/full', '3'],
    ...['asked', 'net.d', join(dir, 'd'), '4'],
  ]
  const { status, stdout, stderr } = spawnSync('sh', ['-c', SYSCTL_SCRIPT, 'sh', ...words], { encoding: 'utf8' })
  assert.match(stdout, /^net\.c cannot be set: .+\n$/)
  assert.deepEqual([status, stderr], [1, ''])
  assert.equal(readFileSync(join(dir, 'b'), 'utf8'), '1 2\n')
  assert.ok(!existsSync(join(dir, 'd')))
})
