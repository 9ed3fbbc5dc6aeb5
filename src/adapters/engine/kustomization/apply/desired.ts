import type { Kustomization } from '../../../../kinds/kustomization.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { describeRef, refOf, type KubeObject, type ObjectRef } from '../../../../lib/kube/object.ts'
import { dropUnknownFields } from '../../../../pipeline/apply/drop-unknown.ts'
import {
  isEncrypted,
  isNoticedByFlux,
  normalize,
  withMetadata,
  withoutOddLabels,
} from '../../../../pipeline/apply/normalize.ts'
import { isLeftAlone, type Stance } from '../../../../pipeline/apply/flux-itself.ts'
import { compareForApply } from '../../../../pipeline/apply/order.ts'
import { IGNORED, ownerLabels, rulesOf } from '../../../../pipeline/apply/rules.ts'
import { isDecryptionDisabled } from '../../../../pipeline/build/decrypt-objects.ts'
import { hashJson } from './live-objects.ts'

/** An object that a Kustomization wants, by what is needed to see that it is there already; `whole` is made when it is not. */
export type Desired = {
  readonly ref: ObjectRef
  readonly hash: string
  /** Git itself says to leave it alone. */
  readonly isIgnored: boolean
  readonly whole: () => KubeObject
}

/** A build that is not made anew wants the same: the thousand apps that a commit does not touch are not hashed again. */
const known = new WeakMap<readonly KubeObject[], readonly Desired[]>()

/**
 * What built objects look like once they belong to their Kustomization, in the order of applying.
 *
 * @param built a list that only ever belongs to one Kustomization with one spec
 * @throws SluiceError APPLY_FAILED for ciphertext
 */
export function desiredObjects(
  built: readonly KubeObject[],
  kustomization: Kustomization,
  stance: Stance,
): readonly Desired[] {
  const before = known.get(built)
  if (before) return before
  const { namespace, name, commonLabels, commonAnnotations } = kustomization
  const { traps } = stance
  const labels = ownerLabels(namespace, name)
  const own = (object: KubeObject): KubeObject => {
    const labelled = withMetadata(traps === 'flux' ? withoutOddLabels(dropUnknownFields(object)) : object, labels)
    const left = isLeftAlone(stance, kustomization, object) ? IGNORED : {}
    return withMetadata(normalize(labelled), commonLabels, { ...commonAnnotations, ...left })
  }
  for (const object of built) refuseCiphertext(object, traps)
  const desired = built
    .map((object) => {
      const owned = own(object)
      return { ref: refOf(owned), hash: hashJson(owned), isIgnored: rulesOf(owned).isIgnored, whole: () => own(object) }
    })
    .sort((a, b) => compareForApply(a.ref, b.ref))
  known.set(built, desired)
  return desired
}

function refuseCiphertext(object: KubeObject, traps: 'safe' | 'flux'): void {
  if (isDecryptionDisabled(object) || !(traps === 'flux' ? isNoticedByFlux(object) : isEncrypted(object))) return
  const what = object.kind === 'Secret' ? 'secret' : 'object'
  throw new SluiceError(
    'APPLY_FAILED',
    `${describeRef(refOf(object))} is SOPS encrypted, configuring decryption is required for this ${what} to be reconciled`,
  )
}
