import type { FactStore, Kept } from '../../adapters/store/facts.ts'
import { type Bounds, planArchive, withArchived, withoutArchived } from '../../pipeline/record/archive.ts'
import {
  digestKey,
  keysOfSearch,
  keysToRecall,
  originsOfImages,
  pushesOfPassages,
  pushKey,
} from '../../pipeline/record/archive-keys.ts'
import type { Fact, FactBody } from '../../pipeline/record/fact.ts'
import { foldFact, refuseUnknown } from '../../pipeline/record/fold.ts'
import { emptyLedger, type Ledger } from '../../pipeline/record/ledger.ts'
import { digestsOfPod, type HistoryQuery } from '../../pipeline/record/query.ts'
import { readLedger, writeLedger } from '../../pipeline/record/snapshot.ts'

/** What tests shorten. */
export type LedgerLimits = Bounds & {
  /** A checkpoint is due after so many facts, that the next start may be short. */
  readonly facts: number
  /** Whether one is due is asked after so many. */
  readonly every: number
}

/** A delivery of the ledger takes some 3 KiB of memory, a fact some 30 µs of a start (bench/record.bench.ts). */
const LIMITS: LedgerLimits = { most: 2000, keep: 1000, ofService: 10, facts: 10_000, every: 500 }

/** Where what leaves the ledger goes. */
export type LedgerLog = Pick<FactStore, 'checkpoint' | 'find' | 'newest'>

/** A ledger that gives what is past to the archive, and takes back what a fact names (docs/adr/0236). */
export type LivingLedger = {
  readonly current: () => Ledger
  /** Takes back what a fact names, before it is judged and folded; answers the ledger then. */
  readonly recall: (fact: FactBody) => Ledger
  readonly fold: (fact: Fact) => void
  /** With as much of the past as a history shows. */
  readonly ofHistory: (query: HistoryQuery) => Ledger
  /** With what the past knows of a commit, an image or a pod. */
  readonly ofTrace: (what: string) => Ledger
  readonly knowsPush: (commit: string) => boolean
}

/** Begins with what was kept. @throws SluiceError STATE_NEWER: a later version wrote it */
export function openLedger(
  log: LedgerLog,
  { snapshot, facts, before }: Kept,
  limits: LedgerLimits = LIMITS,
): LivingLedger {
  refuseUnknown([...before, ...facts])
  let ledger = snapshot === undefined ? emptyLedger() : readLedger(snapshot)
  let sinceCheckpoint = 0
  // many services keep many deliveries: as many must have come again before it is worth another checkpoint
  const mostAfter = ({ deliveries }: Ledger): number =>
    Math.max(limits.most, deliveries.size + limits.most - limits.keep)
  let most = limits.most
  const recall = (fact: FactBody): Ledger => {
    const found = log.find(keysToRecall(ledger, fact))
    if (found.length > 0) ledger = withArchived(ledger, [...found, ...log.find(originsOfImages(found))])
    return ledger
  }
  const checkpointWhenDue = (): void => {
    const isLong = ledger.deliveries.size > most
    if (!isLong && sinceCheckpoint < limits.facts) return
    const archived = planArchive(ledger, limits)
    const rest = withoutArchived(ledger, archived)
    if (!log.checkpoint(writeLedger(rest), archived)) return
    ledger = rest
    sinceCheckpoint = 0
    most = mostAfter(rest)
  }
  for (const fact of facts) foldFact(recall(fact), fact)
  sinceCheckpoint = facts.length
  checkpointWhenDue()
  return {
    current: () => ledger,
    recall,
    fold(fact) {
      foldFact(ledger, fact)
      if (++sinceCheckpoint % limits.every === 0) checkpointWhenDue()
    },
    ofHistory(query) {
      const found = log.newest(query)
      return withArchived(ledger, [...found, ...log.find(pushesOfPassages(found))])
    },
    ofTrace(what) {
      const found = withArchived(ledger, log.find(keysOfSearch(what)))
      const ofPod = log.find(digestsOfPod(found, what).map((digest) => ({ key: digestKey(digest) })))
      return withArchived(found, ofPod)
    },
    knowsPush: (commit) => ledger.pushes.has(commit) || log.find([{ key: pushKey(commit) }]).length > 0,
  }
}
