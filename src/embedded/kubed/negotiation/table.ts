import { firstAt } from '../../../lib/json-path/find.ts'
import { JsonPathError, parseJsonPath, type Steps } from '../../../lib/json-path/parse.ts'
import { GoTimeError, parseGoTime } from '../../../lib/kube/go-time.ts'
import { at, goJson, type Json, type JsonObject, numberOf, sorted, stringOf } from '../../../lib/kube/json.ts'
import { goFloat } from '../../../lib/yaml/write/go-numbers.ts'
import type { Obj } from '../object.ts'
import { toStored } from '../conversion/convert.ts'
import { type PrinterColumn, type Resource, TEMPLATE_GENERATION } from '../resources/resource.ts'
import { AGE, ageOf, type Column, CREATED_AT, NAME } from './columns.ts'
import { describeColumn } from './descriptions.ts'
import { COLUMNS } from './kind-columns.ts'
import { METRICS_COLUMNS } from './metrics-columns.ts'
import { POD_COLUMNS } from './pod-columns.ts'

/** How rows carry their objects. */
export type Include = 'None' | 'Metadata' | 'Object'

/** Columns of a kind. */
function columnsOf(resource: Resource): readonly Column[] {
  const measured = METRICS_COLUMNS[resource.storageKey]
  if (measured !== undefined) return measured
  if (resource.custom !== undefined) {
    const own = customColumns(resource.custom.columns)
    return own.length === 0 ? [NAME, { ...AGE, type: 'date' }] : [NAME, ...own]
  }
  if (resource.storageKey === '/pods') return POD_COLUMNS
  return COLUMNS[resource.storageKey] ?? [NAME, CREATED_AT]
}

const isPlain = (columns: readonly Column[]): boolean => columns.length === 2 && columns[1] === CREATED_AT

/** The columns of a definition; none from the first on whose path cannot be read. */
function customColumns(written: readonly PrinterColumn[]): Column[] {
  const out: Column[] = []
  for (const { jsonPath, ...column } of written) {
    const path = readPath(jsonPath)
    if (path === undefined) break
    out.push({ ...column, cell: (object, now) => customCell(column.type, firstAt(object, path), now) })
  }
  return out
}

function readPath(text: string): Steps | undefined {
  try {
    return parseJsonPath(text)
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error
    return undefined
  }
}

/** @see k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor cellForJSONValue */
function customCell(type: string, value: Json | undefined, now: number): Json {
  if (value === undefined) return null
  if (type === 'string') return printed(value)
  if (type === 'date') return typeof value === 'string' ? dateCell(value, now) : null
  if (type === 'integer') return typeof value === 'number' ? Math.trunc(value) : null
  if (type === 'number') return typeof value === 'number' ? value : null
  return type === 'boolean' && typeof value === 'boolean' ? value : null
}

function printed(value: Json): string {
  if (value === null) return '<no value>'
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : goFloat(value)
  return typeof value === 'object' ? goJson(sorted(value)) : String(value)
}

function dateCell(text: string, now: number): string {
  if (text === '' || text === 'null') return '<unknown>'
  try {
    return ageOf(parseGoTime(text, false), now)
  } catch (error) {
    if (!(error instanceof GoTimeError)) throw error
    return '<invalid>'
  }
}

/** A meta.k8s.io Table of the objects. */
export function tableOf(
  resource: Resource,
  unsorted: readonly Obj[],
  metadata: JsonObject,
  options: { include: Include; now: number; version: string; withColumns: boolean },
): JsonObject {
  const items = inOrder(resource, unsorted)
  const columns = columnsOf(resource)
  const named = columns.filter(({ isUnnamed }) => isUnnamed !== true)
  // Version 1 of autoscalers is printed as what they are kept as.
  const rows = resource.kind === 'HorizontalPodAutoscaler' ? items.map((each) => toStored(resource, each)) : items
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata,
    columnDefinitions: options.withColumns
      ? named.map(({ name, type, format, priority, description }) => ({
          name,
          type,
          format,
          description: description ?? describeColumn(resource.storageKey, name),
          priority,
        }))
      : null,
    // Kinds without columns of their own have no list of rows when there are none.
    rows:
      items.length === 0 && isPlain(columns)
        ? null
        : items.map((object, index) => ({
            cells: columns.map(({ cell }) => cell(rows[index] ?? object, options.now)),
            ...(resource.storageKey === '/pods' ? ended(object) : {}),
            object: included(object, options),
          })),
  }
}

/** FlowSchemas are printed in the order in which the server asks them, all else as it is kept. */
function inOrder({ storageKey }: Resource, items: readonly Obj[]): readonly Obj[] {
  if (storageKey !== 'flowcontrol.apiserver.k8s.io/flowschemas') return items
  const precedence = (schema: Obj): number => numberOf(at(schema, 'spec', 'matchingPrecedence')) ?? 0
  return [...items].sort((a, b) => precedence(a) - precedence(b) || (a.metadata.name < b.metadata.name ? -1 : 1))
}

/** Rows of pods that have ended say so, for clients that grey them out. */
function ended(pod: Obj): JsonObject {
  const message = { Succeeded: 'The pod has completed successfully.', Failed: 'The pod failed.' }
  const phase = stringOf(at(pod, 'status', 'phase'))
  if (phase !== 'Succeeded' && phase !== 'Failed') return {}
  return { conditions: [{ type: 'Completed', status: 'True', reason: phase, message: message[phase] }] }
}

function included(object: Obj, { include, version }: { include: Include; version: string }): Json {
  if (include === 'None') return null
  if (include === 'Object') return object
  return metadataOf(object, version)
}

/** A meta.k8s.io PartialObjectMetadata of an object: of a daemon set without what only the served version has as an annotation. */
export function metadataOf(object: Obj, version: string): JsonObject {
  const metadata = object.kind === 'DaemonSet' ? withoutGeneration(object.metadata) : object.metadata
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata }
}

function withoutGeneration({ annotations, ...metadata }: Obj['metadata']): JsonObject {
  const { [TEMPLATE_GENERATION]: _served, ...others } = annotations ?? {}
  return Object.keys(others).length === 0 ? metadata : { ...metadata, annotations: others }
}
