import { kubeTime } from '../../kinds/conditions.ts'
import { read, readText } from '../../lib/kube/read.ts'
import { isRecord } from '../../lib/value/is-record.ts'
import type { ToldEvent } from './message.ts'

/**
 * Pure. Reads an event as Flux's controllers post it to notification-controller; `undefined` when it is none.
 *
 * Texts that are absent are empty; nothing in it is trusted to be true, only to be text.
 * @param nowMs stands for a time that is missing or none
 * @see https://github.com/fluxcd/pkg/blob/main/apis/event/v1beta1/event.go
 */
export function parsePostedEvent(body: Buffer, nowMs: number): ToldEvent | undefined {
  const value = parseJson(body)
  if (!isRecord(value) || !isTextMap(value['involvedObject'])) return undefined
  const metadata = value['metadata'] ?? {}
  const texts = ['severity', 'timestamp', 'message', 'reason', 'reportingController', 'reportingInstance']
  if (!isTextMap(metadata) || texts.some((key) => !isText(value[key]))) return undefined
  const of = (key: string): string => readText(value, 'involvedObject', key)
  const severity = readText(value, 'severity')
  const timestamp = readText(value, 'timestamp')
  return {
    object: {
      kind: of('kind'),
      namespace: of('namespace'),
      name: of('name'),
      uid: of('uid'),
      apiVersion: of('apiVersion'),
      resourceVersion: of('resourceVersion'),
    },
    severity: severity === 'error' || severity === 'trace' ? severity : 'info',
    reason: readText(value, 'reason'),
    message: readText(value, 'message'),
    annotations: metadata,
    objectLabels: {},
    controller: readText(value, 'reportingController'),
    timestamp: Number.isNaN(Date.parse(timestamp)) ? kubeTime(nowMs) : timestamp,
    host: readText(value, 'reportingInstance'),
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

function isTextMap(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.keys(value).every((key) => isText(read(value, key)))
}

function isText(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string'
}
