import type { Fact } from '../../src/pipeline/record/fact.ts'
import { foldFact } from '../../src/pipeline/record/fold.ts'
import { emptyLedger, type Ledger } from '../../src/pipeline/record/ledger.ts'

/** What the record knows by these facts, the oldest first. */
export function foldFacts(facts: readonly Fact[]): Ledger {
  const ledger = emptyLedger()
  for (const fact of facts) foldFact(ledger, fact)
  return ledger
}
