import { channel } from 'node:diagnostics_channel'
import type { Clock } from '../../adapters/clock.ts'
import type { FactStore } from '../../adapters/store/facts.ts'
import type { Fact, FactBody, ReportFact } from '../../pipeline/record/fact.ts'
import type { Ledger } from '../../pipeline/record/ledger.ts'
import { isNews, provedBy } from '../../pipeline/record/news.ts'
import type { HistoryQuery } from '../../pipeline/record/query.ts'
import { type LedgerLimits, type LedgerLog, openLedger } from './living-ledger.ts'

/** Where facts are kept; `append` may group writes, but keeps their order. */
export type FactLog = LedgerLog & Pick<FactStore, 'kept'> & { readonly append: (fact: Fact) => void | Promise<void> }

/** The delivery record of a running process: facts go in, the ledger follows, whoever looks is told. */
export type RecordKeeper = {
  readonly report: ReportFact
  /** What goes on, and the last deliveries. */
  readonly ledger: () => Ledger
  /** The ledger with as much of the past as a history shows. */
  readonly ledgerOfHistory: (query: HistoryQuery) => Ledger
  /** The ledger with what the past knows of a commit, an image or a pod. */
  readonly ledgerOfTrace: (what: string) => Ledger
  readonly knowsPush: (commit: string) => boolean
  /** The newest facts, the oldest first. */
  readonly recent: () => readonly Fact[]
  readonly subscribe: (told: (fact: Fact) => void) => () => void
}

const RECENT = 500

/** Every fact, before anything is done with it: for programs that are loaded beside this one (`--import`) and watch or end it at a fact. */
const facts = channel('sluice.fact')

/**
 * Opens the record: takes what was kept, then keeps and folds what comes and is news. Each fact gets a time of its own, later than all before it.
 *
 * What is past leaves memory for the archive, and comes back when a fact names it (docs/adr/0236).
 */
export function keepRecord(log: FactLog, clock: Pick<Clock, 'nowMs'>, limits?: LedgerLimits): RecordKeeper {
  const kept = log.kept()
  const living = openLedger(log, kept, limits)
  const recent = [...kept.before, ...kept.facts].slice(-RECENT)
  const readers = new Set<(fact: Fact) => void>()
  let lastMs = Date.parse(recent.at(-1)?.at ?? '1970-01-01T00:00:00Z')
  const keep = (body: FactBody): void | Promise<void> => {
    lastMs = Math.max(clock.nowMs(), lastMs + 1)
    const fact: Fact = { at: new Date(lastMs).toISOString(), ...body }
    facts.publish(fact)
    const kept = log.append(fact)
    recent.push(fact)
    if (recent.length > RECENT) recent.shift()
    living.fold(fact)
    for (const reader of readers) reader(fact)
    return kept
  }
  return {
    report(body) {
      const ledger = living.recall(body)
      if (!isNews(ledger, body)) return undefined
      const proved = provedBy(ledger, body)
      if (proved !== undefined) {
        void keep(proved)
        // a checkpoint behind it may have put away again what `body` names
        living.recall(body)
      }
      return keep(body)
    },
    ledger: living.current,
    ledgerOfHistory: living.ofHistory,
    ledgerOfTrace: living.ofTrace,
    knowsPush: living.knowsPush,
    recent: () => recent,
    subscribe(told) {
      readers.add(told)
      return () => readers.delete(told)
    },
  }
}
