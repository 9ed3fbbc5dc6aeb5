import type { Delivery } from './delivery.ts'
import { namespaceOf } from './names.ts'
import { type FactOf, HEALED, type Ledger, markBorder, openDeliveries } from './ledger.ts'

/** What an automation found: stops the deliveries whose image it cannot write back, and lets go on those that it can. */
export function foldMarkers(ledger: Ledger, fact: FactOf<'markers'>): void {
  // that of an automation that is no more
  if (fact.choices.length === 0 && fact.cause === undefined) ledger.markers.delete(fact.automation)
  else ledger.markers.set(fact.automation, fact)
  const environment = namespaceOf(fact.automation)
  for (const delivery of openDeliveries(ledger, (open) => open.environment === environment))
    judgeWriteBack(ledger, delivery, fact.at)
}

/** Marks a delivery that waits for its write-back as stopped when nobody will write it, and as going on when somebody will. */
export function judgeWriteBack(ledger: Ledger, delivery: Delivery, at: string): void {
  const { policy, 'write-back': writeBack } = delivery.borders
  if (delivery.kind !== 'image' || policy?.state !== 'done' || writeBack?.state === 'done') return
  const cause = whyUnwritten(ledger, delivery)
  if (cause !== undefined) {
    if (cause === writeBack?.detail) return
    const stopped = { state: 'failed', cause: `write-back: ${cause}` } as const
    markBorder(ledger, delivery, 'write-back', { state: 'failed', at, detail: cause }, stopped)
  } else if (writeBack?.state === 'failed') markBorder(ledger, delivery, 'policy', policy, HEALED)
}

/** An automation that has looked since the policy chose says that no marker carries the choice, and no other automation has one. */
function whyUnwritten(ledger: Ledger, { environment, image, version }: Delivery): string | undefined {
  const facts = [...ledger.markers.values()].filter(({ automation }) => namespaceOf(automation) === environment)
  for (const { automation, choices, problems, cause } of facts) {
    const choice = choices.find((one) => one.image === image && one.tag === version && !one.isMarked)
    if (choice === undefined) continue
    const isOthers = facts.some((other) => other.choices.some((one) => one.policy === choice.policy && one.isMarked))
    if (!isOthers) return cause ?? unmarked(automation, environment, choice.policy, problems)
  }
  return undefined
}

/** A marker that is wrong may have been meant for it, or for another: it is named behind what is missing. */
function unmarked(automation: string, namespace: string, policy: string, problems: string | undefined): string {
  const marker = `# {"$imagepolicy": "${namespace}:${policy}`
  const missing = `no marker that ${automation} follows names the ImagePolicy ${namespace}/${policy}; write ${marker}:tag"} behind its newTag, or ${marker}"} behind its whole image`
  return problems === undefined ? missing : `${missing}; what it could not follow: ${problems}`
}
