import type { KubeObject } from '../../lib/kube/object.ts'
import { conditionOf, read, readList } from '../../lib/kube/read.ts'
import { renderAge } from '../terminal/age.ts'

/** The columns of `sluice get`: a header and how each cell is read from an object; `wide` ones only with -o wide. */
export type Column = {
  readonly header: string
  readonly wide?: boolean
  readonly cell: (object: KubeObject, nowMs: number) => string
}

const NAME: Column = { header: 'NAME', cell: (object) => object.metadata.name }
const AGE: Column = { header: 'AGE', cell: (object, nowMs) => renderAge(object.metadata.creationTimestamp, nowMs) }
const SUSPENDED: Column = {
  header: 'SUSPENDED',
  cell: (object) => (read(object, 'spec', 'suspend') === true ? 'True' : 'False'),
}
const READY: Column = { header: 'READY', cell: (object) => conditionOf(object, 'Ready')?.status || 'Unknown' }
const MESSAGE: Column = {
  header: 'MESSAGE',
  cell: (object) => conditionOf(object, 'Ready')?.message.trim() || 'waiting to be reconciled',
}

const path =
  (...fields: string[]) =>
  (object: KubeObject): string =>
    text(read(object, ...fields))

const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  GitRepository: [
    NAME,
    { header: 'REVISION', cell: path('status', 'artifact', 'revision') },
    SUSPENDED,
    READY,
    MESSAGE,
    wide('URL', 'spec', 'url'),
  ],
  Kustomization: [
    NAME,
    { header: 'REVISION', cell: path('status', 'lastAppliedRevision') },
    SUSPENDED,
    READY,
    MESSAGE,
    wide('PATH', 'spec', 'path'),
  ],
  ImageRepository: [
    NAME,
    { header: 'LAST SCAN', cell: path('status', 'lastScanResult', 'scanTime') },
    SUSPENDED,
    READY,
    MESSAGE,
    wide('IMAGE', 'spec', 'image'),
  ],
  ImagePolicy: [
    NAME,
    { header: 'IMAGE', cell: path('status', 'latestRef', 'name') },
    { header: 'TAG', cell: path('status', 'latestRef', 'tag') },
    READY,
    MESSAGE,
    wide('DIGEST', 'status', 'latestRef', 'digest'),
  ],
  ImageUpdateAutomation: [
    NAME,
    { header: 'LAST RUN', cell: path('status', 'lastAutomationRunTime') },
    SUSPENDED,
    READY,
    MESSAGE,
  ],
  Pod: [
    NAME,
    { header: 'READY', cell: podReady },
    { header: 'STATUS', cell: path('status', 'phase') },
    { header: 'RESTARTS', cell: podRestarts },
    AGE,
    wide('IP', 'status', 'podIP'),
  ],
  Deployment: [
    NAME,
    {
      header: 'READY',
      cell: (o) => `${number(read(o, 'status', 'readyReplicas'))}/${number(read(o, 'spec', 'replicas'))}`,
    },
    { header: 'UP-TO-DATE', cell: (o) => number(read(o, 'status', 'updatedReplicas')) },
    { header: 'AVAILABLE', cell: (o) => number(read(o, 'status', 'availableReplicas')) },
    AGE,
  ],
}

const OTHERS: readonly Column[] = [NAME, AGE]

/** The columns for a kind: Flux's own for its kinds, kubectl's for the commonest, name and age for the rest. */
export function columnsOf(kind: string, isWide: boolean): readonly Column[] {
  return (COLUMNS[kind] ?? OTHERS).filter((column) => isWide || column.wide !== true)
}

function wide(header: string, ...fields: string[]): Column {
  return { header, wide: true, cell: path(...fields) }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

function number(value: unknown): string {
  return typeof value === 'number' ? String(value) : '0'
}

function containers(object: KubeObject): readonly unknown[] {
  return readList(object, 'status', 'containerStatuses')
}

function podReady(object: KubeObject): string {
  const ready = containers(object).filter((status) => read(status, 'ready') === true).length
  return `${ready}/${readList(object, 'spec', 'containers').length}`
}

function podRestarts(object: KubeObject): string {
  return String(containers(object).reduce<number>((sum, status) => sum + Number(read(status, 'restartCount') ?? 0), 0))
}
