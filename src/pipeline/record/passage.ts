import { BORDERS, type Border, type BorderRecord, type Passage } from './delivery.ts'
import { commitOfRevision } from './names.ts'
import { passageKey } from './ledger-keys.ts'
import type { Ledger } from './ledger.ts'

/**
 * Notes how far a revision is in a Kustomization.
 *
 * A border that is done stays as it is, and heals a failure at it or before it: every retry builds again before it fails again.
 */
export function notePassage(
  ledger: Ledger,
  kustomization: string,
  revision: string,
  border: Border,
  record: BorderRecord,
): void {
  const commit = commitOfRevision(revision)
  const key = passageKey({ kustomization, commit })
  const { startedAt = record.at, borders = {} } = ledger.passages.get(key) ?? {}
  const isHealed = (name: string): boolean => BORDERS.findIndex((one) => one === name) <= BORDERS.indexOf(border)
  const kept = Object.entries(borders).filter(
    ([name, { state }]) => record.state !== 'done' || state !== 'failed' || !isHealed(name),
  )
  const done = record.state === 'done' && borders[border]?.state === 'done' ? borders[border] : record
  const next = { ...Object.fromEntries(kept), [border]: done }
  ledger.passages.set(key, { kustomization, commit, startedAt, borders: next })
}

/** The border at which it stopped, and why; `undefined` while it goes on. */
export function stopOf({ borders }: Pick<Passage, 'borders'>): { border: Border; cause: string } | undefined {
  const border = BORDERS.find((name) => borders[name]?.state === 'failed')
  return border && { border, cause: `${border}: ${borders[border]?.detail ?? ''}` }
}
