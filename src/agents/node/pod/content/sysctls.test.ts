import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forbiddenSysctl, sysctlsOf } from './sysctls.ts'
import type { Pod } from '../shapes.ts'

const pod = (...names: string[]): Pod => {
  const sysctls = names.map((name) => ({ name, value: '1' }))
  const spec = { containers: [], securityContext: { sysctls } }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec }
}

test('what touches more than the pod is forbidden, in either spelling', () => {
  assert.equal(forbiddenSysctl(pod()), undefined)
  assert.equal(forbiddenSysctl(pod('net/ipv4/tcp_syncookies', 'kernel.shm_rmid_forced')), undefined)
  for (const name of ['kernel.msgmax', 'kernel/msgmax'])
    assert.equal(forbiddenSysctl(pod('net.ipv4.tcp_rmem', name)), 'forbidden sysctl: "kernel.msgmax" not allowlisted')
  assert.deepEqual(sysctlsOf(pod('net/ipv4/tcp_rmem')), [{ name: 'net.ipv4.tcp_rmem', value: '1' }])
})
