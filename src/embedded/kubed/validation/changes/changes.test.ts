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

const PLAIN = { containers: [{ name: 'c', image: 'i' }] }
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
]
for (const { it, from, to, want } of pods)
  test(`a changed pod ${it}`, () => {
    const errors: FieldError[] = []
    checkPodChange(to, from, errors)
    assert.equal(errors.length, 1)
    assert.match(errors[0]?.message ?? '', want)
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
