import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ToldEvent } from '../../../pipeline/notify/message.ts'
import { LARGEST_EVENT, listenForEvents } from './event-server.ts'

const OBJECT = { kind: 'HelmRelease', namespace: 'ns', name: 'app', apiVersion: 'helm.toolkit.fluxcd.io/v2', uid: 'u' }
const EVENT = {
  involvedObject: OBJECT,
  severity: 'error',
  timestamp: '2026-01-01T00:00:00Z',
  message: 'install failed',
  reason: 'InstallFailed',
  metadata: { 'helm.toolkit.fluxcd.io/revision': '1.0.0' },
  reportingController: 'helm-controller',
  reportingInstance: 'h',
}

async function withServer(run: (post: (body: string) => Promise<number>, taken: ToldEvent[]) => Promise<void>) {
  const taken: ToldEvent[] = []
  const server = await listenForEvents('127.0.0.1:0', {
    labelsOf: async () => ({ team: 'a' }),
    take: (event) => void taken.push(event),
    nowMs: () => 0,
    log: assert.fail,
  })
  const post = async (body: string): Promise<number> =>
    (await fetch(`http://${server.address}/`, { method: 'POST', body })).status
  try {
    await run(post, taken)
  } finally {
    await server.close()
  }
}

test('an event of another controller is taken whole, with the labels of its object', () =>
  withServer(async (post, taken) => {
    assert.equal(await post(JSON.stringify(EVENT)), 202)
    const { involvedObject, metadata, reportingController, reportingInstance, ...same } = EVENT
    assert.deepEqual(taken, [
      {
        ...same,
        object: { ...involvedObject, resourceVersion: '' },
        annotations: metadata,
        objectLabels: { team: 'a' },
        controller: reportingController,
        host: reportingInstance,
      },
    ])
  }))

const cases: { it: string; body: string; want: number; severity?: string; timestamp?: string }[] = [
  { it: 'of a severity that is none is news', body: json({ severity: 'odd' }), want: 202, severity: 'info' },
  { it: 'without time happens now', body: json({ timestamp: null }), want: 202, timestamp: '1970-01-01T00:00:00Z' },
  { it: 'without metadata is one', body: json({ metadata: null }), want: 202 },
  { it: 'of fields that nobody knows is one', body: json({ more: [1] }), want: 202 },
  { it: 'that is no JSON is refused', body: '{', want: 400 },
  { it: 'that is a list is refused', body: '[]', want: 400 },
  { it: 'without object is refused', body: json({ involvedObject: undefined }), want: 400 },
  { it: 'whose object has a number for a name is refused', body: json({ involvedObject: { name: 1 } }), want: 400 },
  { it: 'whose metadata are no texts is refused', body: json({ metadata: { a: {} } }), want: 400 },
  { it: 'whose message is a list is refused', body: json({ message: ['x'] }), want: 400 },
  { it: 'as large as may be is taken', body: json({ message: 'x' }).padEnd(LARGEST_EVENT), want: 202 },
  { it: 'that is larger is refused', body: json({ message: 'x' }).padEnd(LARGEST_EVENT + 1), want: 413 },
]
for (const { it, body, want, severity, timestamp } of cases)
  test(`a posted event ${it}`, () =>
    withServer(async (post, taken) => {
      assert.equal(await post(body), want)
      assert.equal(taken.length, want === 202 ? 1 : 0)
      if (severity) assert.equal(taken[0]?.severity, severity)
      if (timestamp) assert.equal(taken[0]?.timestamp, timestamp)
    }))

function json(more: object): string {
  return JSON.stringify({ ...EVENT, ...more })
}
