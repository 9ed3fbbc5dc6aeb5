import { buildRevision, goText, REVISION_HASH, revisionData, type ControllerRevision } from '../history/revision.ts'
import { refOf } from '../../../lib/kube/object.ts'
import type { Pod } from '../shapes.ts'
import { podTemplateHash } from '../template-hash/hash.ts'
import type { Write } from '../write.ts'
import type { DaemonSet } from './shapes.ts'

/** The revision of the present template and the others, or the writes that are needed to have it. */
export type History =
  | { readonly kind: 'known'; readonly hash: string; readonly old: readonly ControllerRevision[] }
  | { readonly kind: 'unknown'; readonly writes: readonly Write[] }

/**
 * Pure. Finds the revision of the present template among the DaemonSet's own: made if there is none, one of several twins kept, renumbered as the
 * newest when the template goes back to it.
 */
export function readHistory(
  set: DaemonSet,
  revisions: readonly ControllerRevision[],
  pods: readonly Pod[],
  named: (name: string) => ControllerRevision | undefined,
): History {
  const unlabelled = revisions.filter((revision) => hashOf(revision) === undefined)
  if (unlabelled.length > 0) return { kind: 'unknown', writes: unlabelled.map(labelled) }
  const text = goText(revisionData(set.spec.template))
  const old = revisions.filter(({ data }) => goText(data) !== text)
  const twins = revisions.filter((revision) => !old.includes(revision)).sort((a, b) => a.revision - b.revision)
  const next = Math.max(0, ...old.map(({ revision }) => revision)) + 1
  const current = twins.at(-1)
  if (!current) return makeRevision(set, text, next, named)
  if (twins.length > 1) return { kind: 'unknown', writes: withoutTwins(current, twins, pods) }
  if (current.revision < next)
    return {
      kind: 'unknown',
      writes: [{ do: 'replace', object: { ...current, revision: next } as ControllerRevision }],
    }
  return { kind: 'known', hash: hashOf(current) ?? '', old }
}

/** Deletions of old revisions that no pod is of, lowest numbers first, down to the history limit. */
export function surplusRevisions(
  set: DaemonSet,
  old: readonly ControllerRevision[],
  pods: readonly Pod[],
): readonly Write[] {
  const surplus = Math.max(old.length - (set.spec.revisionHistoryLimit ?? 10), 0)
  const live = new Set(pods.map(({ metadata }) => metadata.labels?.[REVISION_HASH]))
  return [...old]
    .sort((a, b) => a.revision - b.revision)
    .filter((revision) => !live.has(hashOf(revision)))
    .slice(0, surplus)
    .map((object) => ({ do: 'delete', object }))
}

function makeRevision(
  set: DaemonSet,
  text: string,
  revision: number,
  named: (name: string) => ControllerRevision | undefined,
): History {
  const { name } = set.metadata
  const { collisionCount } = set.status ?? {}
  const hash = podTemplateHash(set.spec.template, collisionCount)
  const taken = named(`${name}-${hash}`)
  if (taken && goText(taken.data) === text) return { kind: 'known', hash: hashOf(taken) ?? hash, old: [] }
  if (taken) {
    const status = { ...emptyStatus, ...set.status, collisionCount: (collisionCount ?? 0) + 1 }
    return { kind: 'unknown', writes: [{ do: 'replace', object: { ...set, status }, subresource: 'status' }] }
  }
  const object = buildRevision(set, `${name}-${hash}`, { [REVISION_HASH]: hash }, revision)
  return { kind: 'unknown', writes: [{ do: 'create', object }] }
}

/** A status must say these. */
const emptyStatus = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 }

/** Pods follow the twin that stays, then the others go. */
function withoutTwins(
  kept: ControllerRevision,
  twins: readonly ControllerRevision[],
  pods: readonly Pod[],
): readonly Write[] {
  const hash = hashOf(kept)
  const strays = pods.filter(({ metadata }) => metadata.labels?.[REVISION_HASH] !== hash)
  const body = { metadata: { labels: { [REVISION_HASH]: hash } } }
  if (strays.length > 0) return strays.map((pod) => ({ do: 'patch', ref: refOf(pod), type: 'merge', body }))
  return twins.filter((twin) => twin !== kept).map((object) => ({ do: 'delete', object }))
}

function labelled(revision: ControllerRevision): Write {
  const { metadata } = revision
  const labels = { ...metadata.labels, [REVISION_HASH]: metadata.name }
  return { do: 'replace', object: { ...revision, metadata: { ...metadata, labels } } }
}

function hashOf({ metadata }: ControllerRevision): string | undefined {
  return metadata.labels?.[REVISION_HASH]
}
