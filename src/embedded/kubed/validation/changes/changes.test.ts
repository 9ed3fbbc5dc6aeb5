import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../lib/kube/json.ts'
import { rememberEmpty } from '../../decoding/emptied.ts'
import type { FieldError } from '../../fault.ts'
import { objFrom } from '../../object.ts'
import { checkClaimChange } from './claim-change.ts'
import { checkPodChange } from './pod-change.ts'
import { checkVolumeChange } from './volume-change.ts'

/** An object that was given an empty list or map, as it is once it is decoded. */
function emptied(object: JsonObject, field: string, value: [] | JsonObject): JsonObject {
  rememberEmpty(object, field, value)
  return object
}

const IN_A = { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }
const toNodes = (...nodeSelectorTerms: JsonObject[]): JsonObject => ({
  nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
})
const PLAIN = { containers: [{ name: 'c', image: 'i' }] }
const GATED = { ...PLAIN, schedulingGates: [{ name: 'g' }] }
const pods: { it: string; from: JsonObject; to: JsonObject; want: RegExp }[] = [
  {
    it: 'is told with what was given empty',
    from: { ...PLAIN, hostNetwork: false },
    to: emptied({ ...PLAIN, hostNetwork: true }, 'volumes', []),
    want: /^Forbidden: pod updates may not change fields[^]*\n\+ "Volumes": \[\],\n/,
  },
  {
    it: 'keeps its SELinux label',
    from: { ...PLAIN, securityContext: { seLinuxOptions: { level: 'a' } } },
    to: { ...PLAIN, securityContext: { seLinuxOptions: { level: 'b' } } },
    want: /\n- {3}"Level": "a"\n\+ {3}"Level": "b"\n/,
  },
  {
    it: 'keeps its Windows user',
    from: { ...PLAIN, securityContext: { windowsOptions: { runAsUserName: 'a' } } },
    to: { ...PLAIN, securityContext: { windowsOptions: { runAsUserName: 'b' } } },
    want: /\n- {3}"RunAsUserName": "a",?\n\+ {3}"RunAsUserName": "b",?\n/,
  },
  {
    it: 'at a gate keeps what selects its nodes',
    from: { ...GATED, nodeSelector: { a: 'b' } },
    to: { ...GATED, nodeSelector: { a: 'c', d: 'e' } },
    want: /^Invalid value: \{"a":"c","d":"e"\}: only additions to spec.nodeSelector are allowed \(no mutations or deletions\)$/,
  },
  {
    it: 'at a gate keeps the terms of its affinity',
    from: { ...GATED, affinity: toNodes(IN_A) },
    to: { ...GATED, affinity: toNodes(IN_A, IN_A) },
    want: /: no additions\/deletions to non-empty NodeSelectorTerms list are allowed$/,
  },
  {
    it: 'at a gate keeps what its affinity asks for',
    from: { ...GATED, affinity: toNodes(IN_A) },
    to: { ...GATED, affinity: toNodes({ matchExpressions: [{ key: 'a', operator: 'In', values: ['c'] }] }) },
    want: /: only additions are allowed \(no mutations or deletions\)$/,
  },
]
for (const { it, from, to, want } of pods)
  test(`a changed pod ${it}`, () => {
    const errors: FieldError[] = []
    checkPodChange(to, from, errors)
    assert.equal(errors.length, 1)
    assert.match(errors[0]?.message ?? '', want)
  })

const additions: { it: string; from: JsonObject; to: JsonObject }[] = [
  { it: 'be selected for fewer nodes', from: GATED, to: { ...GATED, nodeSelector: { a: 'b' } } },
  { it: 'get an affinity', from: GATED, to: { ...GATED, affinity: toNodes(IN_A) } },
  {
    it: 'ask for more of a node',
    from: { ...GATED, affinity: toNodes(IN_A) },
    to: {
      ...GATED,
      affinity: toNodes({ matchExpressions: [...IN_A.matchExpressions, { key: 'c', operator: 'Exists' }] }),
    },
  },
]
for (const { it, from, to } of additions)
  test(`a pod at a gate may ${it}`, () => {
    const errors: FieldError[] = []
    checkPodChange(to, from, errors)
    assert.deepEqual(errors, [])
  })

test('a bound claim that asks for nothing any more is told so', () => {
  const claim = (spec: JsonObject): ReturnType<typeof objFrom> =>
    objFrom({ metadata: { name: 'x' }, spec, status: { phase: 'Bound' } }, 'v1', 'PersistentVolumeClaim')
  const errors: FieldError[] = []
  checkClaimChange(claim({ resources: {} }), claim({ resources: { requests: { storage: '1Gi' } } }), errors)
  assert.match(errors[0]?.message ?? '', /\n\+ {2}"Requests": null\n/)
})

test('a claim is not changed by limits that are given empty', () => {
  const claim = (resources: JsonObject): ReturnType<typeof objFrom> =>
    objFrom({ metadata: { name: 'x' }, spec: { resources } }, 'v1', 'PersistentVolumeClaim')
  const errors: FieldError[] = []
  const requests = { storage: '1Gi' }
  checkClaimChange(claim(emptied({ requests }, 'limits', {})), claim({ requests }), errors)
  assert.deepEqual(errors, [])
})

test('the nodes of a volume are told with what was given empty', () => {
  const volume = (term: JsonObject) =>
    objFrom({ spec: { nodeAffinity: { required: { nodeSelectorTerms: [term] } } } }, 'v1', 'PersistentVolume')
  const errors: FieldError[] = []
  const before = volume({ matchFields: [{ key: 'a', operator: 'Exists' }] })
  checkVolumeChange(volume(emptied({}, 'matchExpressions', [])), before, errors)
  assert.match(errors[0]?.message ?? '', /"NodeSelectorTerms":\[\{"MatchExpressions":\[\],"MatchFields":null\}\]/)
})
