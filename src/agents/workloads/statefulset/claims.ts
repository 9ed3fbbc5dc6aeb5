import type { KubeObject, OwnerReference } from '../../../lib/kube/object.ts'
import { controlledBy } from '../meta.ts'
import type { Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { claimName, isWanted } from './identity.ts'
import type { StatefulSet } from './shapes.ts'

/** A PersistentVolumeClaim of the namespace, by name. */
export type ClaimNamed = (name: string) => KubeObject | undefined

/** Creations of the claims that the pod of that ordinal lacks. */
export function missingClaims(set: StatefulSet, ordinal: number, claimNamed: ClaimNamed): Write[] {
  const pod = `${set.metadata.name}-${ordinal}`
  return claimsOf(set, ordinal)
    .filter(({ metadata }) => claimNamed(metadata.name) === undefined)
    .map((object) => {
      const { name } = object.metadata
      const where = `Pod ${pod} in StatefulSet ${set.metadata.name}`
      return {
        do: 'create',
        object,
        tell: {
          about: set,
          type: 'Normal',
          reason: 'SuccessfulCreate',
          message: `Create Claim ${name} ${where} success`,
        },
        tellFailure: {
          about: set,
          type: 'Warning',
          reason: 'FailedCreate',
          message: `Create Claim ${name} for ${where} failed error: {error}`,
        },
      }
    })
}

/** The names of the ordinal's claims that are on their way out: no pod may be made on them. */
export function leavingClaims(set: StatefulSet, ordinal: number, claimNamed: ClaimNamed): readonly string[] {
  return claimsOf(set, ordinal)
    .map(({ metadata }) => metadata.name)
    .filter((name) => claimNamed(name)?.metadata.deletionTimestamp !== undefined)
}

/** Whether a claim still belongs to a pod of this name that is gone: the garbage collector will take it, and only then may a new pod come. */
export function hasStaleClaim(set: StatefulSet, ordinal: number, claimNamed: ClaimNamed): boolean {
  if (!isDeletedWhenScaled(set)) return false
  const name = `${set.metadata.name}-${ordinal}`
  return claimsOf(set, ordinal).some((claim) =>
    ownersOf(claimNamed(claim.metadata.name)).some((owner) => isNamedLike(owner, 'v1', 'Pod', name)),
  )
}

/**
 * Replacements that give the pod's claims the owners that the retention policy asks for: the StatefulSet where claims go with it, the pod where it is
 * scaled away and claims go with pods, else none. Claims of former objects of the same names, and of other controllers, are left alone.
 */
export function ownedClaims(set: StatefulSet, pod: Pod, ordinal: number, claimNamed: ClaimNamed): Write[] {
  return (set.spec.volumeClaimTemplates ?? []).flatMap((template): Write[] => {
    const claim = claimNamed(claimName(set, template.metadata.name ?? '', ordinal))
    const before = ownersOf(claim)
    if (!claim || before.some((owner) => isStale(owner, set) || isStale(owner, pod))) return []
    const others = before.filter(({ uid }) => uid !== set.metadata.uid && uid !== pod.metadata.uid)
    const isForeign = !keepsAll(set) && others.some(({ controller }) => controller === true)
    const wanted = isForeign ? [] : wantedOwners(set, pod, ordinal)
    const ours = before.filter((owner) => !others.includes(owner))
    const isRight =
      ours.length === wanted.length &&
      ours.every(({ uid, controller }) => controller === true && wanted.some((owner) => owner.metadata.uid === uid))
    if (isRight) return []
    const ownerReferences = [...others, ...wanted.map(controlledBy)]
    return [{ do: 'replace', object: { ...claim, metadata: { ...claim.metadata, ownerReferences } } }]
  })
}

function wantedOwners(set: StatefulSet, pod: Pod, ordinal: number): readonly KubeObject[] {
  if (isDeletedWhenScaled(set) && !isWanted(set, ordinal)) return [pod]
  return set.spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete' ? [set] : []
}

function claimsOf(set: StatefulSet, ordinal: number): readonly KubeObject[] {
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec }) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...metadata,
      name: claimName(set, metadata.name ?? '', ordinal),
      namespace: set.metadata.namespace ?? '',
      labels: { ...metadata.labels, ...set.spec.selector.matchLabels },
    },
    spec,
  }))
}

function isDeletedWhenScaled({ spec }: StatefulSet): boolean {
  return spec.persistentVolumeClaimRetentionPolicy?.whenScaled === 'Delete'
}

function keepsAll(set: StatefulSet): boolean {
  return !isDeletedWhenScaled(set) && set.spec.persistentVolumeClaimRetentionPolicy?.whenDeleted !== 'Delete'
}

function ownersOf(claim: KubeObject | undefined): readonly OwnerReference[] {
  return claim?.metadata.ownerReferences ?? []
}

function isStale(owner: OwnerReference, { apiVersion, kind, metadata }: KubeObject): boolean {
  return isNamedLike(owner, apiVersion, kind, metadata.name) && owner.uid !== metadata.uid
}

function isNamedLike(owner: OwnerReference, apiVersion: string, kind: string, name: string): boolean {
  return owner.apiVersion === apiVersion && owner.kind === kind && owner.name === name
}
