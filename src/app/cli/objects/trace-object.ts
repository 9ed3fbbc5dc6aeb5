import { parseArgs } from 'node:util'
import type { KubeClient } from '../../../adapters/kube/types.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { conditionOf, read, readList, readText } from '../../../lib/kube/read.ts'
import { ownerOf } from '../../../pipeline/apply/rules.ts'
import { CLUSTER_OPTIONS, withCluster } from '../cluster.ts'
import { type Command, type ExitCode, type Io, usageError } from '../command.ts'
import { findKind, type NamedKind } from './kind-names.ts'
import { mustGet } from './reconcile.ts'

type Line = readonly [label: string, value: string]
const ORIGIN = 'org.opencontainers.image'

/** `sluice trace KIND NAME`: whose an object of the cluster is and from which source, as `flux trace` says it. */
export async function traceObject(argv: readonly string[], io: Io, command: Command): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { ...CLUSTER_OPTIONS, kind: { type: 'string' }, 'api-version': { type: 'string' } },
  })
  const words = positionals.flatMap((word) => word.split('/'))
  const [kindName, name] = values.kind === undefined ? words : [kindOf(values.kind, values['api-version']), words[0]]
  if (kindName === undefined || name === undefined || words.length > 2)
    return usageError(io, command, 'either `<resource>/<name>` or `<resource> <name>` is required')
  return withCluster(values, io, async (client) => {
    const kind = await findKind(client, kindName)
    const object = await mustGet(client, { ...kind, namespace: namespaceOf(kind, values.namespace), name })
    const owner = ownerOf(object)
    if (owner === undefined)
      throw new SluiceError('OBJECT_MISSING', `${kind.kind}/${name} is not managed by Flux: it has no owner labels`)
    const kustomization = await find(client, 'Kustomization', ...splitOwner(owner))
    const { kind: sourceKind, name: sourceName, namespace } = sourceRefOf(kustomization)
    const source = await find(client, sourceKind, namespace, sourceName)
    const parts = [objectLines(object, kind.kind), kustomizationLines(kustomization), sourceLines(source, sourceKind)]
    io.out(`\n${parts.map(render).join('\n---\n')}`)
    return 0
  })
}

function kindOf(kind: string, apiVersion = 'v1'): string {
  const [group, version] = apiVersion.split('/')
  return version === undefined ? kind : `${kind}.${group}`
}

function namespaceOf({ namespaced }: NamedKind, namespace: string | undefined): string {
  return namespaced ? (namespace ?? 'flux-system') : ''
}

function splitOwner(owner: string): [namespace: string, name: string] {
  const slash = owner.indexOf('/')
  return [owner.slice(0, slash), owner.slice(slash + 1)]
}

async function find(client: KubeClient, kindName: string, namespace: string, name: string): Promise<KubeObject> {
  return mustGet(client, { ...(await findKind(client, kindName)), namespace, name })
}

function sourceRefOf(kustomization: KubeObject): { kind: string; name: string; namespace: string } {
  const ref = read(kustomization, 'spec', 'sourceRef')
  const namespace = readText(ref, 'namespace') || (kustomization.metadata.namespace ?? '')
  return { kind: readText(ref, 'kind'), name: readText(ref, 'name'), namespace }
}

function objectLines({ metadata }: KubeObject, kind: string): readonly Line[] {
  return [
    ['Object:', `${kind}/${metadata.name}`],
    ['Namespace:', metadata.namespace ?? ''],
    ['Status:', 'Managed by Flux'],
  ]
}

function kustomizationLines(object: KubeObject): readonly Line[] {
  return [
    ['Kustomization:', object.metadata.name],
    ['Namespace:', object.metadata.namespace ?? ''],
    ['Target:', readText(object, 'spec', 'targetNamespace')],
    ['Path:', readText(object, 'spec', 'path')],
    ['Revision:', readText(object, 'status', 'lastAppliedRevision')],
    ...readyLines(object),
  ]
}

function sourceLines(object: KubeObject, kind: string): readonly Line[] {
  const metadata = read(object, 'status', 'artifact', 'metadata')
  return [
    [`${kind}:`, object.metadata.name],
    ['Namespace:', object.metadata.namespace ?? ''],
    ['URL:', readText(object, 'spec', 'url')],
    refLine(read(object, 'spec', 'ref')),
    ['Revision:', readText(object, 'status', 'artifact', 'revision')],
    ['Origin Revision:', readText(metadata, `${ORIGIN}.revision`)],
    ['Origin Source:', readText(metadata, `${ORIGIN}.source`)],
    ...readyLines(object),
  ]
}

function refLine(ref: unknown): Line {
  const found = (['tag', 'semver', 'branch', 'digest'] as const).find((field) => readText(ref, field) !== '')
  const labels = { tag: 'Tag:', semver: 'Tag:', branch: 'Branch:', digest: 'Digest:' }
  return found === undefined ? ['', ''] : [labels[found], readText(ref, found)]
}

function readyLines(object: KubeObject): readonly Line[] {
  const ready = conditionOf(object, 'Ready')
  if (!ready) return [['Status:', 'Unknown']]
  const whole = readList(object, 'status', 'conditions').find((one) => readText(one, 'type') === 'Ready')
  const at = readText(whole, 'lastTransitionTime').replace(/T(.*)Z$/, ' $1 +0000 UTC')
  const isFailed = ready.status === 'False' && object.kind !== 'Kustomization'
  return [
    ['Status:', `${isFailed ? 'Last reconciliation failed at' : 'Last reconciled at'} ${at}`],
    ['Message:', ready.message],
  ]
}

/** Lines without a value are left out. */
function render(lines: readonly Line[]): string {
  return lines.flatMap(([label, value]) => (value === '' ? [] : `${label.padEnd(17)}${value}`)).join('\n')
}
