import type { KubeObject } from '../../../lib/kube/object.ts'
import { byCreation, compareText, controlledBy } from '../meta.ts'
import type { PodTemplate } from '../shapes.ts'
import { encodeSafely, fnv1 } from '../template-hash/hash.ts'

/** A ControllerRevision: a template that its owner had, numbered. */
export type ControllerRevision = KubeObject & { readonly revision: number; readonly data?: RevisionData }

/** A strategic merge patch that puts a template back as it was; `kubectl rollout undo` sends it. */
type RevisionData = { readonly spec?: { readonly template?: PodTemplate & { readonly $patch?: string } } }

/** The label of pods that says which revision they are of; DaemonSets put it on revisions too. */
export const REVISION_HASH = 'controller-revision-hash'

const LONGEST_PREFIX = 223

/** What a revision of this template keeps; its keys in Go's order, as who looks for a revision compares the bytes of its data. */
export function revisionData(template: PodTemplate): RevisionData {
  return JSON.parse(goText({ spec: { template: { ...template, $patch: 'replace' } } }))
}

/** The template that a revision keeps; `undefined` when it keeps none. */
export function templateOf({ data }: ControllerRevision): PodTemplate | undefined {
  if (!data?.spec?.template) return undefined
  const { $patch: _directive, ...template } = data.spec.template
  return template
}

/**
 * JSON as Go writes it: keys in order, no empty fields, `<`, `>` and `&` escaped. Revisions are equal when these texts of their data are.
 */
export function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escaped)
  const fields = Object.entries(value).filter(([, item]) => item !== null && item !== undefined)
  return `{${fields
    .sort(([a], [b]) => compareText(a, b))
    .map(([key, item]) => `${goText(key)}:${goText(item)}`)
    .join(',')}}`
}

/** A new revision of an owner's present template, controlled by the owner. @param labels besides those of the template */
export function buildRevision(
  owner: KubeObject & { readonly spec: { readonly template: PodTemplate } },
  name: string,
  labels: Readonly<Record<string, string>>,
  revision: number,
): ControllerRevision {
  const { template } = owner.spec
  const { namespace = '', annotations } = owner.metadata
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name,
      namespace,
      labels: { ...template.metadata?.labels, ...labels },
      ...(annotations && { annotations }),
      ownerReferences: [controlledBy(owner)],
    },
    data: revisionData(template),
    revision,
  }
}

/** The hash of a StatefulSet's revision: FNV-1 of the data's text and the number of name collisions, as Kubernetes v1.37 computes it. */
export function revisionHash(text: string, collisionCount: number): string {
  return encodeSafely(String(fnv1(Buffer.from(`${text}${collisionCount}`))))
}

/** The name of an owner's revision. */
export function revisionName(owner: string, hash: string): string {
  return `${owner.slice(0, LONGEST_PREFIX)}-${hash}`
}

/** Lowest number first; age and name decide between twins. */
export function byRevision(a: ControllerRevision, b: ControllerRevision): number {
  return a.revision - b.revision || byCreation(a, b)
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}
