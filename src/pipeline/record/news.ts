import type { FactBody } from './fact.ts'
import { namespaceOf } from './image-name.ts'
import { imageKey, podKey } from './ledger-keys.ts'
import { deliveryOfImage, type Ledger } from './ledger.ts'

/**
 * Whether a fact says what the record does not know yet. Stages tell at every start what their stores show, so most of it is known.
 *
 * Only facts that a start repeats are compared; the others are news by what they are.
 */
export function isNews(ledger: Ledger, fact: FactBody): boolean {
  switch (fact.kind) {
    case 'run': {
      const known = ledger.runs.get(fact.runId)
      return known?.state !== fact.state || known.cause !== fact.cause
    }
    case 'image': {
      const key = imageKey(fact)
      const known = ledger.images.get(key)
      return ledger.intended.images.has(key) || known?.digest !== fact.digest || known.runId !== fact.runId
    }
    case 'write-back':
      return fact.images.length === 0 || !fact.images.every((image) => isWritten(ledger, fact, image))
    case 'pod': {
      const known = ledger.pods.get(podKey(fact))
      const isSame =
        known?.digest === fact.digest &&
        known.image === fact.image &&
        String(known.others ?? []) === String(fact.others ?? [])
      return !isSame || known.ready !== fact.ready || known.gone !== fact.gone
    }
    case 'markers': {
      const { choices, cause } = ledger.markers.get(fact.automation) ?? {}
      return JSON.stringify([choices, cause]) !== JSON.stringify([fact.choices, fact.cause])
    }
    default:
      return true
  }
}

/**
 * The push of an image that a policy proves by choosing its tag: the registry wakes the policy before it answers who pushed, and people
 * read what happened in the order in which it did.
 */
export function provedBy(ledger: Ledger, fact: FactBody): FactBody | undefined {
  if (fact.kind !== 'policy') return undefined
  const intent = ledger.intended.images.get(imageKey(fact))
  if (intent === undefined) return undefined
  const { intended: _proved, at: _then, ...pushed } = intent
  return pushed
}

/** Two runs of an automation, woken one after the other, may make the same commit of the same head: to the branch it came once. */
function isWritten(
  ledger: Ledger,
  { automation, commit }: Extract<FactBody, { kind: 'write-back' }>,
  { image, tag }: { readonly image: string; readonly tag: string },
): boolean {
  const delivery = deliveryOfImage(ledger, namespaceOf(automation), image, tag)
  return delivery?.configCommit === commit && delivery.borders['write-back']?.state === 'done'
}
