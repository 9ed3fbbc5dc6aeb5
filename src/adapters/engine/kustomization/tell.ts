import type { KustomizationStatus } from '../../../controllers/kustomization.ts'
import type { Kustomization } from '../../../kinds/kustomization.ts'
import { describeRef, type ObjectRef } from '../../../lib/kube/object.ts'
import type { EngineContext } from '../context.ts'
import { ROOT } from './build/build-source.ts'

/** Tells an event of a Kustomization with its revision, as Flux annotates it. Flux writes an event for a commit that changed nothing; safe, that is not worth a request. */
export function tellEvent(
  context: EngineContext,
  kustomization: Kustomization,
  event: NonNullable<KustomizationStatus['events']>[number],
): void {
  const { apiVersion, kind, namespace, name, uid, resourceVersion } = kustomization
  const { severity, reason, message, revision, originRevision, isCommitStatus, isRoutine } = event
  context.tell({
    object: { apiVersion, kind, namespace, name, uid, resourceVersion },
    severity,
    reason,
    message,
    annotations: {
      ...(revision === '' ? {} : { 'kustomize.toolkit.fluxcd.io/revision': revision }),
      ...(originRevision === undefined ? {} : { 'kustomize.toolkit.fluxcd.io/originRevision': originRevision }),
      ...(isCommitStatus ? { 'kustomize.toolkit.fluxcd.io/commit_status': 'update' } : {}),
    },
    controller: 'kustomize-controller',
    atMs: context.clock.nowMs(),
    ...(isRoutine && context.traps === 'safe' ? { isRoutine } : {}),
    ...(context.traps === 'flux' && message.includes(ROOT) ? { isUnique: true } : {}),
  })
}

/** Tells what was done to objects, a line each; nothing when there is none. */
export function tellChanges(
  context: EngineContext,
  kustomization: Kustomization,
  revisions: { readonly revision: string; readonly originRevision?: string },
  reason: string,
  changes: readonly { readonly ref: ObjectRef; readonly action: string }[],
): void {
  if (changes.length === 0) return
  const message = changes.map(({ ref, action }) => `${describeRef(ref)} ${action}`).join('\n')
  const { revision, originRevision } = revisions
  const origin = originRevision === undefined ? {} : { originRevision }
  tellEvent(context, kustomization, { severity: 'info', reason, message, revision, ...origin })
}
