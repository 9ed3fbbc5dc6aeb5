import { channel } from 'node:diagnostics_channel'
import type { Clock } from '../../adapters/clock.ts'
import type { Fact, FactBody, ReportFact } from '../../pipeline/record/fact.ts'
import { foldFact, foldFacts } from '../../pipeline/record/fold.ts'
import type { Ledger } from '../../pipeline/record/ledger.ts'
import { isNews, provedBy } from '../../pipeline/record/news.ts'

/** Where facts are kept; `append` may group writes, but keeps their order. */
export type FactLog = {
  readonly append: (fact: Fact) => void | Promise<void>
  readonly readAll: () => readonly Fact[]
}

/** The delivery record of a running process: facts go in, the ledger follows, whoever looks is told. */
export type RecordKeeper = {
  readonly report: ReportFact
  readonly ledger: () => Ledger
  /** The newest facts, the oldest first. */
  readonly recent: () => readonly Fact[]
  readonly subscribe: (told: (fact: Fact) => void) => () => void
}

const RECENT = 500

/** Every fact, before anything is done with it: for programs that are loaded beside this one (`--import`) and watch or end it at a fact. */
const facts = channel('sluice.fact')

/** Opens the record: folds what was kept, then keeps and folds what comes and is news. Each fact gets a time of its own, later than all before it. */
export function keepRecord(log: FactLog, clock: Clock): RecordKeeper {
  const kept = log.readAll()
  const ledger = foldFacts(kept)
  const recent = kept.slice(-RECENT)
  const readers = new Set<(fact: Fact) => void>()
  let lastMs = Date.parse(kept.at(-1)?.at ?? '1970-01-01T00:00:00Z')
  const keep = (body: FactBody): void | Promise<void> => {
    lastMs = Math.max(clock.nowMs(), lastMs + 1)
    const fact: Fact = { at: new Date(lastMs).toISOString(), ...body }
    facts.publish(fact)
    const kept = log.append(fact)
    foldFact(ledger, fact)
    recent.push(fact)
    if (recent.length > RECENT) recent.shift()
    for (const reader of readers) reader(fact)
    return kept
  }
  return {
    report(body) {
      if (!isNews(ledger, body)) return undefined
      const proved = provedBy(ledger, body)
      if (proved !== undefined) void keep(proved)
      return keep(body)
    },
    ledger: () => ledger,
    recent: () => recent,
    subscribe(told) {
      readers.add(told)
      return () => readers.delete(told)
    },
  }
}
