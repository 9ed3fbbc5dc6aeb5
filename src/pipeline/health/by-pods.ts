import { groupOf, type KubeObject } from '../../lib/kube/object.ts'
import { conditionOf, readText } from '../../lib/kube/read.ts'
import { matchesSelector, type LabelSelector } from '../../lib/kube/label-selector.ts'
import { isRecord } from '../../lib/value/is-record.ts'
import { judge, type Judgement } from './kstatus.ts'

/** Kinds that have failed when one of their pods has: a Deployment says so itself, by its deadline. */
const JUDGED_BY_PODS = new Set(['StatefulSet', 'ReplicaSet'])

/** Whether what is in progress of this kind may have failed by its pods. */
export function isJudgedByPods({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean {
  return groupOf(apiVersion) === 'apps' && JUDGED_BY_PODS.has(kind)
}

/**
 * What is in progress has failed when containers of one of its pods crash again and again; pods that wait for a node or end do not count.
 *
 * Safe, pods of an older revision do not count, either: what was pushed may be what mends them.
 * @see https://github.com/fluxcd/cli-utils/tree/main/pkg/kstatus/polling/statusreaders
 */
export function judgeByPods(
  owner: KubeObject,
  judgement: Judgement,
  pods: readonly KubeObject[],
  { nowMs, traps }: { readonly nowMs: number; readonly traps: 'safe' | 'flux' },
): Judgement {
  if (judgement.health !== 'InProgress' || !isJudgedByPods(owner)) return judgement
  const revision = traps === 'safe' ? readText(owner, 'status', 'updateRevision') : ''
  const lost = pods
    .filter(({ metadata }) => metadata.namespace === owner.metadata.namespace)
    .filter(({ metadata }) => matchesSelector(selectorOf(owner), metadata.labels))
    .filter(({ metadata }) => revision === '' || metadata.labels?.['controller-revision-hash'] === revision)
    .filter((pod) => conditionOf(pod, 'PodScheduled')?.reason !== 'Unschedulable')
    .filter((pod) => judge(pod, nowMs).health === 'Failed')
  return lost.length === 0 ? judgement : { health: 'Failed', why: `${lost.length} pods have failed` }
}

function selectorOf({ spec }: KubeObject): LabelSelector | undefined {
  const selector = isRecord(spec) ? spec['selector'] : undefined
  return isRecord(selector) ? selector : undefined
}
