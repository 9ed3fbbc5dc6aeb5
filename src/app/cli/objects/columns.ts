import type { KubeObject } from '../../../lib/kube/object.ts'
import { isSuspended } from '../../../kinds/flux-object.ts'
import { conditionOf, read, readList } from '../../../lib/kube/read.ts'
import { renderAge } from '../../terminal/age.ts'

/** The columns of `sluice get`: a header and how each cell is read from an object; `wide` ones only with -o wide. */
export type Column = {
  readonly header: string
  readonly wide?: boolean
  /** Only without -o wide. */
  readonly narrow?: boolean
  readonly cell: (object: KubeObject, nowMs: number) => string
}

const NAME: Column = { header: 'NAME', cell: (object) => object.metadata.name }
const AGE: Column = { header: 'AGE', cell: (object, nowMs) => renderAge(object.metadata.creationTimestamp, nowMs) }
const SUSPENDED: Column = {
  header: 'SUSPENDED',
  cell: (object) => (isSuspended(object) ? 'True' : 'False'),
}
const READY: Column = { header: 'READY', cell: (object) => conditionOf(object, 'Ready')?.status || 'Unknown' }
const MESSAGE: Column = {
  header: 'MESSAGE',
  cell: (object) => conditionOf(object, 'Ready')?.message.trim() || 'waiting to be reconciled',
}

/** Flux shows eight digits of every hash; `-o wide` shows them whole. */
const HASH = /\b[a-f0-9]{40,128}\b/g
const short = (column: Column): readonly Column[] => [
  {
    ...column,
    narrow: true,
    cell: (object, nowMs) => column.cell(object, nowMs).replace(HASH, (hash) => hash.slice(0, 8)),
  },
  { ...column, wide: true },
]

const path =
  (...fields: string[]) =>
  (object: KubeObject): string =>
    text(read(object, ...fields))

/** As most kinds of Flux are shown: a revision, and how it stands with it. */
const revised = (revision: readonly string[], ...more: readonly Column[]): readonly Column[] => [
  NAME,
  ...short({ header: 'REVISION', cell: path(...revision) }),
  SUSPENDED,
  READY,
  ...short(MESSAGE),
  ...more,
]
const source = (...of: readonly string[]): readonly Column[] =>
  revised(['status', 'artifact', 'revision'], ...(of.length === 0 ? [] : [wide('URL', 'spec', ...of)]))

/** Alerts and Providers have no status: flux calls them ready. */
const stateless = (kind: string): readonly Column[] => [
  { header: 'READY', cell: () => 'True' },
  { header: 'MESSAGE', cell: () => `${kind} is Ready` },
]

const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  GitRepository: source('url'),
  OCIRepository: source('url'),
  Bucket: source('endpoint'),
  ExternalArtifact: [
    NAME,
    ...short({ header: 'REVISION', cell: path('status', 'artifact', 'revision') }),
    { header: 'SOURCE', cell: sourceOf },
    READY,
    ...short(MESSAGE),
  ],
  HelmRepository: source('url'),
  HelmChart: source(),
  HelmRelease: revised(['status', 'history', '0', 'chartVersion']),
  Kustomization: revised(['status', 'lastAppliedRevision'], wide('PATH', 'spec', 'path')),
  Receiver: [NAME, SUSPENDED, READY, MESSAGE],
  Provider: [NAME, ...stateless('Provider'), wide('TYPE', 'spec', 'type')],
  Alert: [NAME, SUSPENDED, ...stateless('Alert'), wide('PROVIDER', 'spec', 'providerRef', 'name')],
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
  return (COLUMNS[kind] ?? OTHERS).filter((column) => (isWide ? column.narrow !== true : column.wide !== true))
}

function sourceOf(object: KubeObject): string {
  const {
    kind,
    namespace = object.metadata.namespace,
    name,
  } = (read(object, 'spec', 'sourceRef') ?? {}) as Partial<Record<'kind' | 'namespace' | 'name', string>>
  return kind === undefined ? '' : `${kind}/${namespace}/${name}`
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
