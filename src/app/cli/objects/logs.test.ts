import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { containersOf, isPodOf, printLogs } from './logs.ts'

const pod = (name: string, owner?: { readonly kind: string; readonly name: string }): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    ownerReferences: owner ? [{ apiVersion: 'apps/v1', uid: '1', controller: true, ...owner }] : [],
  },
  spec: { initContainers: [{ name: 'prepare' }], containers: [{ name: 'web' }, { name: 'proxy' }] },
})

for (const { it, of, service, want } of [
  {
    it: 'a Deployment',
    of: pod('web-api-5d4-x2', { kind: 'ReplicaSet', name: 'web-api-5d4' }),
    service: 'web-api',
    want: true,
  },
  {
    it: 'another Deployment',
    of: pod('web-api-5d4-x2', { kind: 'ReplicaSet', name: 'web-api-5d4' }),
    service: 'web',
    want: false,
  },
  { it: 'a StatefulSet', of: pod('db-0', { kind: 'StatefulSet', name: 'db' }), service: 'db', want: true },
  { it: 'a DaemonSet', of: pod('agent-x2', { kind: 'DaemonSet', name: 'agent' }), service: 'agent', want: true },
  { it: 'its own name', of: pod('debug'), service: 'debug', want: true },
  { it: 'nobody', of: pod('debug-a-b'), service: 'debug', want: false },
])
  test(`logs: a pod of ${it} is ${want ? '' : 'not '}found`, () => assert.equal(isPodOf(of, service), want))

test('logs: the containers at work, or the one that is asked for, which may prepare', () => {
  assert.deepEqual(containersOf(pod('a'), undefined), ['web', 'proxy'])
  assert.deepEqual(containersOf(pod('a'), 'prepare'), ['prepare'])
  assert.deepEqual(containersOf(pod('a'), 'none'), [])
})

/** Prints two pods of two containers each; those of `silent` have no log yet. */
async function printedWithout(...silent: readonly string[]) {
  const told: string[] = []
  const io = { out: (line: string) => told.push(line), err: (line: string) => told.push(`! ${line}`) }
  const client = {
    async stream(path: string, take: (chunk: Buffer) => void) {
      const [, name = '', container = ''] = /pods\/(\w+)\/log\?container=(\w+)/.exec(path) ?? []
      if (silent.includes(name)) throw new ApiError(400, 'BadRequest', `${name} waits`)
      take(Buffer.from(`says ${container}`))
    },
  }
  const options = { follow: false, previous: false, container: 'web' }
  const code = await printLogs(client, [pod('a'), pod('b')], options, { ...io, signal: new AbortController().signal })
  return { code, told }
}

test('logs: a pod that has no log yet is told beside those of the others', async () => {
  assert.deepEqual(await printedWithout(), { code: 0, told: ['a says web', 'b says web'] })
  assert.deepEqual(await printedWithout('b'), { code: 3, told: ['a says web', '! b waits'] })
})

test('logs: where no pod has a log that is the answer', () => assert.rejects(printedWithout('a', 'b'), /b waits/))
