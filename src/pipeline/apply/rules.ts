import type { KubeObject, ManagedFieldsEntry } from '../../lib/kube/object.ts'
import { isRecord } from '../../lib/value/is-record.ts'

const DOMAIN = 'kustomize.toolkit.fluxcd.io'

/** Labels that say which Kustomization an object belongs to. */
export function ownerLabels(namespace: string, name: string): Readonly<Record<string, string>> {
  return { [`${DOMAIN}/name`]: name, [`${DOMAIN}/namespace`]: namespace }
}

/** The selector of everything that some Kustomization applied. */
export const OWNED_SELECTOR = `${DOMAIN}/name`

/** `namespace/name` of the Kustomization that an object says it belongs to. */
export function ownerOf(object: KubeObject | undefined): string | undefined {
  const labels = object?.metadata.labels
  const name = labels?.[`${DOMAIN}/name`]
  return name === undefined ? undefined : `${labels?.[`${DOMAIN}/namespace`] ?? ''}/${name}`
}

/** The annotation of an object that is left to others. */
export const IGNORED: Readonly<Record<string, string>> = { [`${DOMAIN}/ssa`]: 'Ignore' }

/** What an object asks of its apply by label or annotation, of itself in Git or of the live one. */
export type ObjectRules = {
  /** `reconcile: disabled` or `ssa: Ignore`: hands off. */
  readonly isIgnored: boolean
  /** `ssa: IfNotPresent`: only ever created. */
  readonly isCreateOnly: boolean
  /** `ssa: Merge`: fields that people added by kubectl stay theirs. */
  readonly isMerged: boolean
  /** `ssa: Override`, which is what happens without any annotation, said in words. */
  readonly isOverriding: boolean
  /** `force: enabled`: recreated when a field that cannot change has changed. */
  readonly isForced: boolean
  /** `prune: disabled` (or reconcile disabled): stays when it leaves Git. */
  readonly isKept: boolean
}

/** Reads the rules; values are compared without regard to case, as in Flux. Only Git says whether an object is only ever created. */
export function rulesOf(wanted: KubeObject, live?: KubeObject): ObjectRules {
  const says = (field: string, value: string, objects = [wanted, live]): boolean =>
    objects.some((object) =>
      [object?.metadata.labels, object?.metadata.annotations].some(
        (map) => map?.[`${DOMAIN}/${field}`]?.toLowerCase() === value,
      ),
    )
  return {
    isIgnored: says('reconcile', 'disabled') || says('ssa', 'ignore'),
    isCreateOnly: says('ssa', 'ifnotpresent', [wanted]),
    isMerged: says('ssa', 'merge'),
    isOverriding: says('ssa', 'override', [wanted]),
    isForced: says('force', 'enabled'),
    isKept: says('prune', 'disabled') || says('reconcile', 'disabled') || says('ssa', 'ignore'),
  }
}

/** Whether an answer means that a field cannot change; in `flux` mode every refusal as invalid counts, a typo too. */
export function isImmutableError(status: number, message: string, traps: 'safe' | 'flux'): boolean {
  if (/(?<!not )\bis immutable\b|immutable field/i.test(message)) return true
  return traps === 'flux' && (status === 409 || status === 422)
}

const FOREIGN_MANAGERS = ['kubectl', 'before-first-apply']
const STALE_ANNOTATIONS = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'kustomize.toolkit.fluxcd.io/checksum',
  'fluxcd.io/sync-checksum',
]

const STALE_LABELS = ['fluxcd.io/sync-gc-mark']

/** A step of a JSON patch. */
export type PatchStep = { readonly op: string; readonly path: string; readonly value?: unknown }

/**
 * The patch that takes over what kubectl owns of a live object: its fields go to the manager's own entry, so that what Git does not say is removed
 * by the next apply. `undefined` when there is nothing to take.
 * @param overridden more managers, by the start of their name, that are treated as kubectl
 */
export function planTakeover(
  live: KubeObject,
  manager: string,
  overridden: readonly string[] = [],
): readonly PatchStep[] | undefined {
  const entries = live.metadata.managedFields ?? []
  const isForeign = (entry: ManagedFieldsEntry): boolean =>
    (entry.subresource ?? '') === '' &&
    ([...FOREIGN_MANAGERS, ...overridden].some((prefix) => entry.manager?.startsWith(prefix)) ||
      (entry.operation === 'Update' && entry.manager === manager))
  const foreign = entries.filter(isForeign)
  const annotations = Object.keys(live.metadata.annotations ?? {}).filter((name) => STALE_ANNOTATIONS.includes(name))
  const labels = Object.keys(live.metadata.labels ?? {}).filter((name) => STALE_LABELS.includes(name))
  if (foreign.length === 0 && annotations.length === 0 && labels.length === 0) return undefined
  const steps: PatchStep[] = [
    ...annotations.map((name) => removal('annotations', name)),
    ...labels.map((name) => removal('labels', name)),
  ]
  if (foreign.length > 0)
    steps.push({ op: 'replace', path: '/metadata/managedFields', value: mergeEntries(entries, foreign, live, manager) })
  steps.push({ op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion })
  return steps
}

function removal(map: 'annotations' | 'labels', name: string): PatchStep {
  return { op: 'remove', path: `/metadata/${map}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}` }
}

function mergeEntries(
  entries: readonly ManagedFieldsEntry[],
  foreign: readonly ManagedFieldsEntry[],
  live: KubeObject,
  manager: string,
): readonly ManagedFieldsEntry[] {
  const isOwn = (entry: ManagedFieldsEntry): boolean =>
    entry.manager === manager && entry.operation === 'Apply' && (entry.subresource ?? '') === ''
  const own = entries.find(isOwn)
  const fieldsV1 = [...(own ? [own] : []), ...foreign].reduce<Record<string, unknown>>(
    (all, entry) => unite(all, entry.fieldsV1 ?? {}),
    {},
  )
  const time = own?.time ?? foreign[0]?.time
  const merged: ManagedFieldsEntry = {
    manager,
    operation: 'Apply',
    apiVersion: own?.apiVersion ?? live.apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1,
  }
  return [merged, ...entries.filter((entry) => entry !== own && !foreign.includes(entry))]
}

function unite(a: Record<string, unknown>, b: Record<string, unknown>): Record<string, unknown> {
  const all = { ...a }
  for (const [key, value] of Object.entries(b)) {
    const old = all[key]
    all[key] = isRecord(old) && isRecord(value) ? unite(old, value) : value
  }
  return all
}
