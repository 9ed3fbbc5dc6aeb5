import {
  buildRevision,
  byRevision,
  goText,
  REVISION_HASH,
  revisionData,
  revisionHash,
  revisionName,
  type ControllerRevision,
} from '../history/revision.ts'
import type { Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import type { StatefulSet } from './shapes.ts'

/** Where a StatefulSet comes from and where it goes, or the writes that are needed to know it. */
export type Course =
  | { readonly kind: 'known'; readonly current: ControllerRevision; readonly update: ControllerRevision }
  | { readonly kind: 'unknown'; readonly writes: readonly Write[] }

/** The label of a revision that tells its hash. */
const HASH = 'controller.kubernetes.io/hash'

/**
 * Pure. Finds the revision of the present template among the StatefulSet's own (made if there is none, renumbered as the newest when the template goes
 * back to it), and the one that its status calls current.
 */
export function findCourse(
  set: StatefulSet,
  revisions: readonly ControllerRevision[],
  named: (name: string) => ControllerRevision | undefined,
): Course {
  const sorted = [...revisions].sort(byRevision)
  const newest = sorted.at(-1)
  const data = revisionData(set.spec.template)
  const text = goText(data)
  const update = sorted.findLast((revision) => goText(revision.data) === text)
  const next = (newest?.revision ?? 0) + 1
  if (!update) return makeRevision(set, text, next, named)
  const isNewest = newest !== undefined && (newest === update || goText(newest.data) === text)
  if (!isNewest) return { kind: 'unknown', writes: [{ do: 'replace', object: renumbered(update, next) }] }
  const current = sorted.find(({ metadata }) => metadata.name === set.status?.currentRevision)
  return { kind: 'known', current: current ?? update, update }
}

/** Deletions of revisions that neither the StatefulSet nor a pod is of, lowest numbers first, down to the history limit. */
export function surplusRevisions(
  set: StatefulSet,
  revisions: readonly ControllerRevision[],
  live: readonly ControllerRevision[],
  pods: readonly Pod[],
): readonly Write[] {
  const limit = set.spec.revisionHistoryLimit ?? 10
  const names = new Set([
    ...live.map(({ metadata }) => metadata.name),
    ...pods.map(({ metadata }) => metadata.labels?.[REVISION_HASH] ?? ''),
  ])
  const history = revisions.filter(({ metadata }) => !names.has(metadata.name)).sort(byRevision)
  return history
    .slice(0, limit < 0 ? 0 : Math.max(history.length - limit, 0))
    .map((object) => ({ do: 'delete', object }))
}

function makeRevision(
  set: StatefulSet,
  text: string,
  revision: number,
  named: (name: string) => ControllerRevision | undefined,
): Course {
  const before = set.status?.collisionCount ?? 0
  const label = revisionHash(text, before)
  for (let count = before; ; count++) {
    const name = revisionName(set.metadata.name, revisionHash(text, count))
    const taken = named(name)
    if (taken && goText(taken.data) !== text) continue
    const current = set.status?.currentRevision
    if (taken) return { kind: 'known', current: (current && named(current)) || taken, update: taken }
    const object = buildRevision(set, name, { [HASH]: label }, revision)
    const counted = { ...set, status: { replicas: 0, ...set.status, collisionCount: count } }
    const writes: Write[] = [{ do: 'create', object }]
    if (count !== before) writes.push({ do: 'replace', object: counted, subresource: 'status' })
    return { kind: 'unknown', writes }
  }
}

function renumbered(object: ControllerRevision, revision: number): ControllerRevision {
  return { ...object, revision }
}
