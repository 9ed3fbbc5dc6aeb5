/** An entry of `status.conditions`. */
export type StatusCondition = {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
  readonly observedGeneration?: number
  readonly lastTransitionTime: string
}

/** A condition that a controller wishes to show; time and generation are filled in when it is written. */
export type WishedCondition = Pick<StatusCondition, 'type' | 'status' | 'reason' | 'message'> & {
  /** Where it differs from the generation that is being written. */
  readonly observedGeneration?: number
}

/** A condition that goes on as it stands, with the generation that it was seen at. */
export function keptCondition(condition: StatusCondition): WishedCondition {
  const { type, status, reason, message, observedGeneration } = condition
  return { type, status, reason, message, ...(observedGeneration === undefined ? {} : { observedGeneration }) }
}

const LONGEST_MESSAGE = 32_768

/**
 * Makes the conditions to write: in the order of the wishes; one that says the same as before keeps its time.
 *
 * @param nowIso the time of those that changed, to the second as Kubernetes writes it
 */
export function fillConditions(
  before: readonly StatusCondition[],
  wishes: readonly WishedCondition[],
  generation: number,
  nowIso: string,
): StatusCondition[] {
  const filled = wishes.map((wish) => {
    const old = before.find((condition) => condition.type === wish.type)
    const message = wish.message.slice(0, LONGEST_MESSAGE)
    const isSame = old && old.status === wish.status && old.reason === wish.reason && old.message === message
    return {
      lastTransitionTime: isSame ? old.lastTransitionTime : nowIso,
      message,
      observedGeneration: wish.observedGeneration ?? generation,
      reason: wish.reason,
      status: wish.status,
      type: wish.type,
    }
  })
  return filled.sort(compareConditions)
}

const FIRST = ['Stalled', 'Reconciling', 'Ready']

/** Flux's order: what ends or goes on, whether it is well, then what was seen last, by name. */
function compareConditions(a: StatusCondition, b: StatusCondition): number {
  const byRank = rankOf(a) - rankOf(b)
  const byNews = (b.observedGeneration ?? 0) - (a.observedGeneration ?? 0)
  return byRank || byNews || (a.type < b.type ? -1 : 1)
}

function rankOf({ type }: StatusCondition): number {
  return FIRST.includes(type) ? FIRST.indexOf(type) : FIRST.length
}

/** A time as Kubernetes writes it: `2026-08-01T12:00:00Z`. */
export function kubeTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
