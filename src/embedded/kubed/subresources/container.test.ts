import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Obj } from '../object.ts'
import { containerOf } from './container.ts'

const named = (...names: readonly string[]): { name: string }[] => names.map((name) => ({ name }))
const podOf = (spec: Record<string, { name: string }[]>): Obj => ({ metadata: { name: 'web' }, spec }) as unknown as Obj
const beside = { initContainers: named('init'), ephemeralContainers: named('debug') }
const single = podOf({ containers: named('app'), ...beside })
const several = podOf({ containers: named('app', 'proxy'), ...beside })
const ask = (wanted: string, pod: Obj): string =>
  containerOf({ name: 'web', query: new URLSearchParams(wanted === '' ? '' : { container: wanted }) }, pod)

const cases: { it: string; wanted?: string; pod: Obj; want: string }[] = [
  { it: 'that a call names is taken', wanted: 'proxy', pod: several, want: 'proxy' },
  { it: 'may be an init container', wanted: 'init', pod: several, want: 'init' },
  { it: 'may be an ephemeral one', wanted: 'debug', pod: several, want: 'debug' },
  { it: 'that is the only one need not be named, whatever runs before or beside it', pod: single, want: 'app' },
]
for (const { it, wanted = '', pod, want } of cases)
  test(`a container ${it}`, () => assert.equal(ask(wanted, pod), want))

const refusals: { it: string; wanted?: string; want: string }[] = [
  { it: 'a pod does not have', wanted: 'db', want: 'container db is not valid for pod web' },
  {
    it: 'nobody names is refused in a pod of several, in the order in which they run',
    want: 'a container name must be specified for pod web, choose one of: [init app proxy debug]',
  },
]
for (const { it, wanted = '', want } of refusals)
  test(`a container that ${it}`, () => assert.throws(() => ask(wanted, several), { code: 400, message: want }))
