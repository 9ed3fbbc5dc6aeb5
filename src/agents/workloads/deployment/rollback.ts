import type { Deployment, ReplicaSet } from '../shapes.ts'
import type { Write } from '../write.ts'
import { isSameTemplate, ownAnnotations, copiedAnnotations, revisionOf, templateOf } from './replica-sets.ts'

/** By which `extensions/v1beta1` asked for a rollback: the revision, or 0 for the one before. */
const ROLLBACK_TO = 'deprecated.deployment.rollback.to'

/** The revision that is asked for; `undefined` when none is. */
export function rollbackOf({ metadata }: Deployment): bigint | undefined {
  const text = metadata.annotations?.[ROLLBACK_TO] ?? ''
  return /^[+-]?\d{1,19}$/.test(text) ? BigInt(text) : undefined
}

/** Gives the Deployment the template and the annotations of that revision, once, and says what came of it. */
export function rollBack(deployment: Deployment, wish: bigint, all: readonly ReplicaSet[]): Write {
  const revision = wish === 0n ? lastRevision(all) : wish
  if (revision === 0n) return tidied(deployment, 'RevisionNotFound', 'Unable to find last revision.')
  const set = all.find((one) => revisionOf(one) === revision)
  if (!set) return tidied(deployment, 'RevisionNotFound', 'Unable to find the revision to rollback to.')
  const { name } = deployment.metadata
  if (isSameTemplate(deployment.spec.template, set.spec.template)) {
    const message = `The rollback revision contains the same template as current deployment "${name}"`
    return tidied(deployment, 'TemplateUnchanged', message)
  }
  const annotations = { ...ownAnnotations(deployment), ...copiedAnnotations(set) }
  const back = {
    ...deployment,
    metadata: { ...deployment.metadata, annotations },
    spec: { ...deployment.spec, template: templateOf(set) },
  }
  const message = `Rolled back deployment "${name}" to revision ${revision}`
  const tell = { about: deployment, type: 'Normal', reason: 'DeploymentRollback', message } as const
  return { do: 'replace', object: asked(back), tell }
}

/** The highest revision but one; 0 where there is none. */
function lastRevision(all: readonly ReplicaSet[]): bigint {
  const [, last = 0n] = [0n, ...all.map(revisionOf)].sort((a, b) => (a < b ? 1 : -1))
  return last
}

function tidied(deployment: Deployment, reason: string, message: string): Write {
  const tell = { about: deployment, type: 'Warning', reason: `DeploymentRollback${reason}`, message } as const
  return { do: 'replace', object: asked(deployment), tell }
}

/** The Deployment without the wish, which is fulfilled only once. */
function asked(deployment: Deployment): Deployment {
  const { [ROLLBACK_TO]: _wish, ...annotations } = { ...deployment.metadata.annotations }
  return { ...deployment, metadata: { ...deployment.metadata, annotations } }
}
