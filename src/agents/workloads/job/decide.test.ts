import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controlledBy } from '../meta.ts'
import type { Pod } from '../shapes.ts'
import { countPods } from './count.ts'
import { TRACKING } from './ended.ts'
import { decideJob } from './decide.ts'
import { NOTHING } from './remembered.ts'
import { parseIndexes, renderIndexes } from './indexes.ts'
import type { Job, JobStatus } from './shapes.ts'

const nowMs = Date.parse('2026-11-23T04:00:00Z')
const job = (spec: Partial<Job['spec']> = {}, status: JobStatus = { startTime: '2026-11-23T03:00:00Z' }): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'j', namespace: 'a', uid: 'j' },
  spec: {
    completions: 1,
    parallelism: 1,
    backoffLimit: 6,
    selector: { matchLabels: { job: 'j' } },
    template: { metadata: { labels: { job: 'j' } }, spec: { containers: [{ name: 'c' }], restartPolicy: 'Never' } },
    ...spec,
  },
  status,
})
const pod = (name: string, phase: string, isHeld = true): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'a',
    uid: name,
    labels: { job: 'j' },
    ownerReferences: [controlledBy(job())],
    creationTimestamp: '2026-11-23T03:00:00Z',
    finalizers: isHeld ? [TRACKING] : [],
  },
  spec: { nodeName: 'n', containers: [{ name: 'c' }] },
  status: { phase },
})
const unreadySince = (atMs: number) => ({
  type: 'Ready',
  status: 'False',
  lastTransitionTime: new Date(atMs).toISOString(),
})
const steps = (of: Job, pods: Pod[] = []): string[] => {
  const decision = decideJob({ job: of, candidates: pods, remembered: NOTHING, nowMs })
  return decision.kind === 'act' ? decision.changes.map((write) => write.do) : [decision.kind]
}
const statusAfter = (of: Job, pods: Pod[]): JobStatus => {
  const decision = decideJob({ job: of, candidates: pods, remembered: NOTHING, nowMs })
  const [write] = decision.kind === 'act' ? decision.changes : decision.status
  assert.ok(write?.do === 'replace')
  return (write.object as Job).status ?? {}
}

test('a Job starts, then makes the pods that are missing', () => {
  assert.equal(statusAfter(job({}, {}), []).startTime, '2026-11-23T04:00:00Z')
  assert.deepEqual(steps(job({ completions: 5, parallelism: 2 })), ['create', 'create'])
  assert.deepEqual(steps(job({ completions: 5, parallelism: 2 }), [pod('a', 'Running')]), ['create'])
})

test('a pod that no longer matches is let go with its finalizer, one that matches is adopted with it', () => {
  const bodies = (candidate: Pod): unknown[] => {
    const decision = decideJob({ job: job({ parallelism: 1 }), candidates: [candidate], remembered: NOTHING, nowMs })
    return decision.kind === 'act'
      ? decision.changes.map((write) => (write.do === 'patch' ? write.body : write.do))
      : []
  }
  const held = pod('a', 'Running')
  assert.deepEqual(bodies({ ...held, metadata: { ...held.metadata, labels: {} } }), [
    {
      metadata: {
        ownerReferences: [{ $patch: 'delete', uid: job().metadata.uid }],
        uid: 'a',
        '$deleteFromPrimitiveList/finalizers': [TRACKING],
      },
    },
  ])
  assert.deepEqual(bodies({ ...held, metadata: { ...held.metadata, ownerReferences: [] } }), [
    { metadata: { ownerReferences: [controlledBy(job())], uid: 'a', finalizers: [TRACKING] } },
  ])
})

test('a finished pod is noted, released, then counted', () => {
  const noted = statusAfter(job({ completions: 2 }), [pod('a', 'Succeeded')])
  assert.deepEqual(noted.uncountedTerminatedPods, { succeeded: ['a'] })
  assert.deepEqual(steps(job({ completions: 2 }, noted), [pod('a', 'Succeeded')]), ['patch'])
  const counted = statusAfter(job({ completions: 2 }, noted), [pod('a', 'Succeeded', false)])
  assert.deepEqual([counted.succeeded, counted.uncountedTerminatedPods], [1, {}])
  const again = statusAfter(job({ completions: 2 }, noted), [])
  assert.equal(again.succeeded, 1, 'also when the pod has gone meanwhile')
})

test('enough successes complete it, too many failures fail it', () => {
  const done = statusAfter(job({}, { startTime: 'x', succeeded: 1, uncountedTerminatedPods: {} }), [])
  assert.deepEqual(
    done.conditions?.map(({ type, reason }) => [type, reason]),
    [['SuccessCriteriaMet', 'CompletionsReached']],
  )
  const failed = statusAfter(job({ backoffLimit: 0 }, { startTime: 'x', failed: 1, uncountedTerminatedPods: {} }), [])
  assert.deepEqual(
    failed.conditions?.map(({ type, reason }) => [type, reason]),
    [['FailureTarget', 'BackoffLimitExceeded']],
  )
})

test('after a failure it waits before the next pod', () => {
  const status = { startTime: '2026-11-23T03:00:00Z', failed: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {} }
  const recent = {
    ...pod('a', 'Failed', false),
    metadata: { ...pod('a', 'Failed', false).metadata, creationTimestamp: '2026-11-23T03:59:57Z' },
  }
  const decision = decideJob({ job: job({}, status), candidates: [recent], remembered: NOTHING, nowMs })
  assert.deepEqual(decision, { kind: 'done', status: [], againAfterMs: 7000 })
})

test('indexes are written as ranges', () => {
  for (const text of ['', '0', '0-2', '0,2', '0,1', '1,3-5,7']) assert.equal(renderIndexes(parseIndexes(text)), text)
})

const perIndex = { completions: 2, parallelism: 2, completionMode: 'Indexed', backoffLimitPerIndex: 1 }
const ofIndex = (index: number, phase: string, failures: number, isHeld = true): Pod => {
  const plain = pod(`p${index}-${failures}`, phase, isHeld)
  const annotations = {
    'batch.kubernetes.io/job-completion-index': String(index),
    'batch.kubernetes.io/job-index-failure-count': String(failures),
  }
  return { ...plain, metadata: { ...plain.metadata, annotations } }
}

test('a Job whose indexes fail on their own goes on until each has ended', () => {
  const again = decideJob({
    job: job(perIndex),
    candidates: [ofIndex(0, 'Failed', 0), ofIndex(1, 'Running', 0)],
    remembered: NOTHING,
    nowMs,
  })
  assert.ok(again.kind === 'act' && again.changes[0]?.do === 'create')
  assert.equal(again.changes[0].object.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'], '1')

  const counted = statusAfter(job(perIndex), [ofIndex(0, 'Failed', 1), ofIndex(1, 'Succeeded', 0)])
  assert.equal(counted.failedIndexes, '0')
  const settled = statusAfter(job(perIndex, counted), [])
  assert.equal(statusAfter(job(perIndex, settled), []).conditions?.[0]?.reason, 'FailedIndexes')
  const early = statusAfter(job({ ...perIndex, completions: 5, maxFailedIndexes: 0 }, settled), [])
  assert.equal(early.conditions?.[0]?.reason, 'MaxFailedIndexesExceeded')
})

test('a failed pod of an index is counted when its successor says that it failed', () => {
  const failed = { ...ofIndex(0, 'Failed', 0), status: { phase: 'Failed', conditions: [unreadySince(nowMs - 4_000)] } }
  const waiting = decideJob({
    job: job(perIndex),
    candidates: [failed, ofIndex(1, 'Running', 0)],
    remembered: NOTHING,
    nowMs,
  })
  assert.ok(waiting.kind === 'done')
  assert.equal(waiting.againAfterMs, 6_000)
  assert.equal(statusAfter(job(perIndex), [failed, ofIndex(1, 'Running', 0)]).failed, undefined)
  const { uncountedTerminatedPods } = statusAfter(job(perIndex), [
    failed,
    ofIndex(0, 'Pending', 1),
    ofIndex(1, 'Running', 0),
  ])
  assert.deepEqual(uncountedTerminatedPods, { failed: ['p0-0'] })
})

test('an indexed Job that wanted fewer for a while has forgotten what was beyond', () => {
  const before = { completedIndexes: '0', succeeded: 1 }
  const { status } = countPods(job(perIndex, before), [ofIndex(1, 'Succeeded', 0, false)], undefined)
  assert.equal(status.completedIndexes, '0')
})

const restarted = (phase: string, main: number, init: number): Pod => ({
  ...pod('a', phase),
  status: {
    phase,
    initContainerStatuses: [{ name: 'i', restartCount: init, state: {} }],
    containerStatuses: [{ name: 'c', restartCount: main, state: {} }],
  },
})
const restarts: { it: string; of: Pod; isOver: boolean }[] = [
  { it: 'of all its containers reach the limit', of: restarted('Running', 1, 1), isOver: true },
  { it: 'stay below the limit', of: restarted('Running', 1, 0), isOver: false },
  { it: 'were those of a pod that has ended', of: restarted('Succeeded', 5, 0), isOver: false },
]
for (const { it, of, isOver } of restarts)
  test(`restarts ${isOver ? 'end' : 'do not end'} a Job when they ${it}`, () => {
    const base = job({ completions: 2, backoffLimit: 2 })
    const template = { ...base.spec.template, spec: { ...base.spec.template.spec, restartPolicy: 'OnFailure' } }
    const status = statusAfter({ ...base, spec: { ...base.spec, template } }, [of])
    assert.equal(status.conditions?.[0]?.reason === 'BackoffLimitExceeded', isOver)
  })

test('a successPolicy ends a Job before all of its indexes are done', () => {
  const spec = { completions: 5, parallelism: 5, completionMode: 'Indexed' }
  const done = { startTime: '2026-11-23T03:00:00Z', completedIndexes: '0,3', succeeded: 2 }
  const reasonWith = (rule: { succeededIndexes?: string; succeededCount?: number }): string | undefined =>
    statusAfter(job({ ...spec, successPolicy: { rules: [rule] } }, done), []).conditions?.[0]?.reason
  assert.equal(reasonWith({ succeededIndexes: '0,3' }), 'SuccessPolicy')
  assert.equal(reasonWith({ succeededIndexes: '0-3', succeededCount: 2 }), 'SuccessPolicy')
  assert.equal(reasonWith({ succeededCount: 2 }), 'SuccessPolicy')
})

test('a Job that somebody else manages is left alone', () => {
  assert.deepEqual(steps(job({ managedBy: 'example.com/me' })), ['done'])
})

test('pods that are wanted no more are let go before they are deleted', () => {
  const free = (name: string): Pod => {
    const waiting = pod(name, 'Pending')
    return { ...waiting, metadata: { ...waiting.metadata, finalizers: [] } }
  }
  const few = job({ completions: 5, parallelism: 1 })
  assert.deepEqual(steps(few, [pod('a', 'Running'), pod('b', 'Pending')]), ['patch'])
  assert.deepEqual(steps(few, [pod('a', 'Running'), free('b')]), ['delete'])
})

test('indexes that an indexed Job wants no more leave its status', () => {
  const fallen = (completedIndexes: string): readonly unknown[] => {
    const spec = { completions: 2, parallelism: 2, completionMode: 'Indexed' } as const
    const running = [pod('a', 'Running'), pod('b', 'Running')].map((one, index) => ({
      ...one,
      metadata: { ...one.metadata, annotations: { 'batch.kubernetes.io/job-completion-index': String(index) } },
    }))
    const status = { startTime: '2026-11-23T03:00:00Z', completedIndexes, succeeded: 2 }
    const after = statusAfter(job(spec, status), completedIndexes.startsWith('0') ? [] : running)
    return [after.completedIndexes, after.succeeded]
  }
  assert.deepEqual(fallen('0-2'), ['0,1', 2])
  assert.deepEqual(fallen('3,4'), [undefined, undefined])
})

const endedHere = (of: Pod): Pod => ({ ...of, metadata: { ...of.metadata, deletionTimestamp: '2026-11-23T04:00:00Z' } })
const failing: JobStatus = {
  startTime: '2026-11-23T03:00:00Z',
  conditions: [{ type: 'FailureTarget', status: 'True', reason: 'BackoffLimitExceeded', message: 'm' }],
}

// what the original's controller does with the same, step by step
test('a Job that fails ends what runs, counts it as failed whatever replaces failed pods, and only then lets it go', () => {
  const spec = { parallelism: 2, completions: 2, podReplacementPolicy: 'Failed' }
  assert.deepEqual(steps(job(spec, failing), [pod('a', 'Failed'), pod('b', 'Running')]), ['delete'])
  const left = [pod('a', 'Failed'), endedHere(pod('b', 'Running'))]
  const counted = statusAfter(job(spec, failing), left)
  assert.deepEqual(counted.uncountedTerminatedPods, { failed: ['a', 'b'] })
  assert.deepEqual(steps(job(spec, { ...failing, ...counted }), left), ['patch', 'patch'])
})

test('a Job that fails does not blame the indexes whose pods it ends', () => {
  const spec = { ...perIndex, backoffLimitPerIndex: 0 }
  const left = [ofIndex(0, 'Failed', 0), endedHere(ofIndex(1, 'Running', 0))]
  assert.equal(statusAfter(job(spec, failing), left).failedIndexes, '0')
})

test('a Job that is deleted lets go of every pod, and still comes to its deadline', () => {
  const gone = (of: Job): Job => ({ ...of, metadata: { ...of.metadata, deletionTimestamp: '2026-11-23T04:00:00Z' } })
  assert.deepEqual(steps(gone(job()), [pod('a', 'Running')]), ['patch'])
  const late = statusAfter(gone(job({ activeDeadlineSeconds: 60 })), [pod('a', 'Running', false)])
  assert.equal(late.conditions?.[0]?.reason, 'DeadlineExceeded')
})

test('a suspended Job lets its pods go uncounted, ends them, and shows their end for a moment', () => {
  const spec = { suspend: true }
  assert.deepEqual(steps(job(spec), [pod('a', 'Running')]), ['patch'])
  const free = [pod('a', 'Running', false)]
  assert.deepEqual(steps(job(spec), free), ['delete', 'replace'])
  const decision = decideJob({ job: job(spec), candidates: free, remembered: NOTHING, nowMs })
  assert.ok(decision.kind === 'act' && decision.changes[1]?.do === 'replace')
  const { status = {} } = decision.changes[1].object as Job
  assert.deepEqual([status.active, status.terminating, status.startTime], [undefined, 1, undefined])
  const later = (atMs: number) =>
    decideJob({ job: job(spec, status), candidates: [], remembered: NOTHING, nowMs: nowMs + atMs })
  assert.deepEqual(later(500), { kind: 'done', status: [], againAfterMs: 1500 })
  const shown = later(2000)
  assert.ok(shown.kind === 'done' && shown.status[0]?.do === 'replace')
  assert.equal((shown.status[0].object as Job).status?.terminating, 0)
})

test('a Job that replaces only what has failed waits for the end of a pod before it makes its index anew', () => {
  const spec = { completions: 3, parallelism: 3, completionMode: 'Indexed', podReplacementPolicy: 'Failed' }
  const decision = decideJob({
    job: job(spec),
    candidates: [endedHere(ofIndex(0, 'Running', 0))],
    remembered: NOTHING,
    nowMs,
  })
  assert.ok(decision.kind === 'act')
  assert.deepEqual(
    decision.changes.map((write) => write.do === 'create' && write.object.metadata.generateName),
    ['j-1-', 'j-2-'],
  )
})

test('the success of an index is told by its number alone, before its pod is let go', () => {
  const spec = { completions: 2, parallelism: 1, completionMode: 'Indexed' }
  const told = statusAfter(job(spec), [ofIndex(0, 'Succeeded', 0)])
  assert.deepEqual([told.completedIndexes, told.uncountedTerminatedPods], ['0', {}])
  assert.deepEqual(steps(job(spec, told), [ofIndex(0, 'Succeeded', 0)]), ['patch'])
})
