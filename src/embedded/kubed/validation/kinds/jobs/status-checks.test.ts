import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../../lib/kube/json.ts'
import type { FieldError } from '../../../fault.ts'
import { objFrom } from '../../../object.ts'
import { checkJobStatus } from './status-checks.ts'

const INDEXED = { completionMode: 'Indexed', completions: 3, parallelism: 3 }
const COMPLETE = { type: 'Complete', status: 'True' }
const MET = { type: 'SuccessCriteriaMet', status: 'True' }
const [ONE, TWO] = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z']
const NO_CRITERIA = 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition'

function told(spec: JsonObject, had: JsonObject, status: JsonObject): string[] {
  const jobOf = (now: JsonObject) => objFrom({ metadata: { name: 'j' }, spec, status: now }, 'batch/v1', 'Job')
  const errors: FieldError[] = []
  checkJobStatus(jobOf(status), jobOf(had), errors)
  return errors.map(({ field, message }) => `${field}: ${message}`)
}

// What the real kube-apiserver 1.37.2 told of the same: 600 random statuses are equal, these stand for the rules.
const cases: { it: string; spec?: JsonObject; had?: JsonObject; status: JsonObject; want: string[] }[] = [
  { it: 'a Job that runs', status: { startTime: ONE, active: 1, ready: 1 }, want: [] },
  {
    it: 'a Job that is complete without more',
    status: { conditions: [COMPLETE], uncountedTerminatedPods: { succeeded: ['a', 'a'] } },
    want: [
      'status.uncountedTerminatedPods.succeeded[1]: Duplicate value: "a"',
      'status.completionTime: Required value: completionTime is required for Complete jobs',
      `status.conditions: Invalid value: ${NO_CRITERIA}`,
      'status.startTime: Required value: startTime is required for finished job',
      'status.uncountedTerminatedPods: Invalid value: {"Succeeded":["a","a"],"Failed":null}: must be empty for finished job',
    ],
  },
  {
    it: 'a Job that was complete already',
    had: { conditions: [COMPLETE] },
    status: { conditions: [COMPLETE], failed: 1 },
    want: [],
  },
  {
    it: 'a Job that is complete no more',
    had: { conditions: [COMPLETE, MET], startTime: ONE, completionTime: TWO },
    status: { startTime: ONE },
    want: [
      'status.conditions: Invalid value: cannot disable the terminal Complete=True condition',
      'status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition',
    ],
  },
  { it: 'an indexed Job that has shrunk', spec: INDEXED, had: { succeeded: 2 }, status: { succeeded: 1 }, want: [] },
  {
    it: 'counters that go back',
    had: { succeeded: 2, failed: 2 },
    status: { succeeded: 1, failed: 1 },
    want: ['failed', 'succeeded'].map(
      (field) => `status.${field}: Invalid value: 1: cannot decrease the ${field} counter`,
    ),
  },
  {
    it: 'indexes that failed and are complete',
    spec: { ...INDEXED, backoffLimitPerIndex: 1 },
    status: { completedIndexes: '0,2', failedIndexes: '1-2' },
    want: ['status.failedIndexes: Invalid value: "1-2": failedIndexes and completedIndexes overlap at index: 2'],
  },
  {
    it: 'indexes of a Job that has none',
    status: { completedIndexes: '0', failedIndexes: '' },
    want: [
      'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
      'status.failedIndexes: Invalid value: "": cannot set non-null failedIndexes when backoffLimitPerIndex is null',
    ],
  },
  {
    it: 'a start that moves',
    had: { startTime: ONE },
    status: { startTime: TWO },
    want: [`status.startTime: Invalid value: "${TWO}": field is immutable for unsuspended job once set`],
  },
  {
    it: 'a start that moves as the Job resumes',
    had: { startTime: ONE, conditions: [{ type: 'Suspended', status: 'True' }] },
    status: { startTime: TWO, conditions: [{ type: 'Suspended', status: 'False' }] },
    want: [],
  },
]
for (const { it, spec = {}, had = {}, status, want } of cases)
  test(`the status of ${it} is ${want.length === 0 ? 'right' : 'refused'}`, () =>
    assert.deepEqual(told(spec, had, status), want))
