import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatusCondition } from '../kinds/conditions.ts'
import { decideUnserved, type UnservedSeen } from './unserved.ts'

const ready = (status: 'True' | 'False', reason: string): StatusCondition[] => [
  { type: 'Ready', status, reason, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
]
const calm: UnservedSeen = {
  object: { kind: 'HelmRelease', isDeleting: false, finalizers: [], conditions: [] },
  knownForMs: 60_000,
  isStatic: false,
  isServerRunning: false,
}
const cases: { it: string; seen?: Partial<UnservedSeen>; object?: Partial<UnservedSeen['object']>; want: RegExp }[] = [
  { it: 'that nobody serves is told so', want: /^done HelmRelease is not supported/ },
  { it: 'told so before is told so again', object: { conditions: ready('False', 'NotSupported') }, want: /^done Helm/ },
  { it: 'that is new may still find its controller', seen: { knownForMs: 1_000 }, want: /^wait 2000 $/ },
  { it: 'with the finalizer of Flux is left alone', object: { finalizers: ['finalizers.fluxcd.io'] }, want: /^done $/ },
  {
    it: 'with a status of another is left alone',
    object: { conditions: ready('False', 'InstallFailed') },
    want: /^done $/,
  },
  { it: 'that goes is left alone', object: { isDeleting: true }, want: /^done $/ },
  {
    it: 'that goes is left to its controller',
    seen: { isServerRunning: true },
    object: { isDeleting: true, finalizers: ['finalizers.fluxcd.io'] },
    want: /^done $/,
  },
  {
    it: 'that would never go, with what it deployed, says so',
    object: { isDeleting: true, finalizers: ['finalizers.fluxcd.io'] },
    want: /^done is to go, but helm-controller does not run/,
  },
  {
    it: 'that would never go, and holds nothing but files of a controller that is gone, is let go',
    object: { kind: 'HelmChart', isDeleting: true, finalizers: ['finalizers.fluxcd.io'] },
    want: /^act let go$/,
  },
  { it: 'that is an address only has no status', seen: { isStatic: true }, want: /^done $/ },
]
for (const { it, seen, object, want } of cases)
  test(`an object of a kind that is not served ${it}`, () => {
    const decision = decideUnserved({ ...calm, ...seen, object: { ...calm.object, ...object } })
    if (decision.kind === 'act') return assert.match(`act ${decision.changes.join()}`, want)
    const wait = decision.kind === 'wait' ? `${decision.afterMs} ` : ''
    assert.match(`${decision.kind} ${wait}${decision.status}`, want)
  })
