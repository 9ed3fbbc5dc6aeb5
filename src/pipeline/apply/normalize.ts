import { isDeepStrictEqual } from 'node:util'
import { groupOf, type KubeObject } from '../../lib/kube/object.ts'
import { read, readList, readText } from '../../lib/kube/read.ts'
import { encryptedFormatOf } from '../../lib/sops/format.ts'
import { isRecord } from '../../lib/value/is-record.ts'
import { addEmptyStructs } from './go-structs.ts'

type Fields = Record<string, unknown>

/**
 * Prepares a built object for server-side apply, as Flux does: status and empty creation time dropped, ports get their protocol,
 * `stringData` of a Secret becomes `data`, empty structs are written. Server-side apply would otherwise fight over fields that the server fills in.
 */
export function normalize(object: KubeObject): KubeObject {
  const { metadata, ...rest } = structuredClone(object) as KubeObject & Fields
  const { creationTimestamp: _created, ...kept } = metadata as Fields
  const fields: Fields = { ...rest, metadata: kept }
  addEmptyStructs(fields as KubeObject)
  if (object.kind !== 'CustomResourceDefinition') delete fields['status']
  if (groupOf(object.apiVersion) === '' && object.kind === 'Secret') {
    joinStringData(fields)
    delete fields['sops']
  }
  if (groupOf(object.apiVersion) === '' && object.kind === 'Service') nameProtocols(readList(fields, 'spec', 'ports'))
  const pod = podSpecOf(object.kind, fields)
  for (const list of ['containers', 'initContainers'])
    for (const container of readList(pod, list)) nameProtocols(readList(container, 'ports'))
  return fields as KubeObject
}

function joinStringData(fields: Fields): void {
  const text = read(fields, 'stringData')
  if (typeof text !== 'object' || text === null) return
  const values = Object.entries(text)
  // A number is no text: the server says so.
  if (!values.every(([, value]) => typeof value === 'string' || value === null)) return
  const data: Fields = { ...fieldsOf(fields, 'data') }
  for (const [key, value] of values) data[key] = Buffer.from(String(value ?? '')).toString('base64')
  fields['data'] = data
  delete fields['stringData']
}

function fieldsOf(object: unknown, part: string): Fields {
  const found = read(object, part)
  return isRecord(found) ? found : {}
}

function podSpecOf(kind: string, fields: Fields): unknown {
  if (kind === 'Pod') return read(fields, 'spec')
  if (kind === 'CronJob') return read(fields, 'spec', 'jobTemplate', 'spec', 'template', 'spec')
  if (['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'].includes(kind))
    return read(fields, 'spec', 'template', 'spec')
  return undefined
}

function nameProtocols(ports: readonly unknown[]): void {
  for (const port of ports)
    if (typeof port === 'object' && port !== null && read(port, 'protocol') === undefined)
      Reflect.set(port, 'protocol', 'TCP')
}

/** Adds labels and annotations to an object; given ones win over its own. */
export function withMetadata(
  object: KubeObject,
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>> = {},
): KubeObject {
  const { metadata } = object
  const hasAnnotations = Object.keys(annotations).length > 0
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...labels },
      ...(hasAnnotations ? { annotations: { ...metadata.annotations, ...annotations } } : {}),
    },
  }
}

/** An object without its labels, when one of them is no text: Flux's reader of labels gives none of them then, and writes its own. */
export function withoutOddLabels(object: KubeObject): KubeObject {
  const { labels, ...metadata } = object.metadata
  const values: readonly unknown[] = Object.values(labels ?? {})
  return values.every((value) => typeof value === 'string') ? object : { ...object, metadata }
}

/** What of an object counts for drift: everything but status, and of metadata labels and annotations. */
export function comparable(object: KubeObject): unknown {
  const { metadata, status: _status, apiVersion: _version, ...rest } = object as KubeObject & Fields
  const fields = object.kind === 'HorizontalPodAutoscaler' ? withEachMetricOnce(rest) : rest
  return { ...fields, labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} }
}

/** API servers before 1.27 answer a dry run with a metric twice, and one that is empty (kubernetes issue 118293). */
function withEachMetricOnce(fields: Fields): Fields {
  const metrics = readList(fields, 'spec', 'metrics')
  const once = metrics.filter(
    (metric, at) =>
      readText(metric, 'type') !== '' && metrics.findIndex((other) => isDeepStrictEqual(other, metric)) === at,
  )
  return once.length === metrics.length ? fields : { ...fields, spec: { ...(fields['spec'] as Fields), metrics: once } }
}

/**
 * Whether an object is, or holds, what SOPS encrypted: it says so by its `sops` field, a value is a SOPS envelope, or a value of a Secret is an
 * encrypted file.
 */
export function isEncrypted(object: KubeObject): boolean {
  if (read(object, 'sops') !== undefined && (object.kind === 'Secret' || readText(object, 'sops', 'mac') !== ''))
    return true
  if (object.kind !== 'Secret') return false
  const data = Object.values(fieldsOf(object, 'data'))
  const texts = Object.values(fieldsOf(object, 'stringData'))
  return (
    [...data, ...texts].some((value) => typeof value === 'string' && /^ENC\[AES256_GCM,data:/.test(value)) ||
    data.some((value) => typeof value === 'string' && encryptedFormatOf(Buffer.from(value, 'base64')) !== undefined)
  )
}

/** In Flux, only what cannot be a Secret at all is noticed: an envelope where base64 must be. */
export function isNoticedByFlux(object: KubeObject): boolean {
  if (object.kind !== 'Secret' || read(object, 'sops') === undefined) return false
  return Object.values(fieldsOf(object, 'data')).some(
    (value) => typeof value !== 'string' || !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value),
  )
}
