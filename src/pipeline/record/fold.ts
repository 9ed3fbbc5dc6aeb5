import { SluiceError } from '../../lib/error/sluice-error.ts'
import { unreachable } from '../../lib/error/unreachable.ts'
import type { Fact } from './fact.ts'
import { foldImage, foldPolicy, foldPolicyDeletion, foldPush, foldRun, foldWriteBack } from './fold-ci.ts'
import { foldApply, foldBuild, foldDeletion, foldHealth, foldPod, foldSource } from './fold-cluster.ts'
import { foldMarkers } from './fold-markers.ts'
import type { Ledger } from './ledger.ts'

/** Folds a fact, no older than those before it. The same fact again changes nothing. */
export function foldFact(ledger: Ledger, fact: Fact): void {
  switch (fact.kind) {
    case 'push':
      return foldPush(ledger, fact)
    case 'run':
      return foldRun(ledger, fact)
    case 'image':
      return foldImage(ledger, fact)
    case 'policy':
      return foldPolicy(ledger, fact)
    case 'write-back':
      return foldWriteBack(ledger, fact)
    case 'markers':
      return foldMarkers(ledger, fact)
    case 'source':
      return foldSource(ledger, fact)
    case 'build':
      return foldBuild(ledger, fact)
    case 'apply':
      return foldApply(ledger, fact)
    case 'health':
      return foldHealth(ledger, fact)
    case 'deletion':
      return 'policy' in fact ? foldPolicyDeletion(ledger, fact.policy) : foldDeletion(ledger, fact)
    case 'pod':
      return foldPod(ledger, fact)
    default:
      return unreachable(fact)
  }
}

/** The kinds of facts that there are. */
const KINDS: Readonly<Record<Fact['kind'], true>> = {
  ...{ push: true, run: true, image: true, policy: true, 'write-back': true, markers: true },
  ...{ source: true, build: true, apply: true, health: true, deletion: true, pod: true },
}

/**
 * Refuses facts of kinds that a later version tells: the disk may hold some.
 *
 * @throws SluiceError STATE_NEWER
 */
export function refuseUnknown(facts: readonly Fact[]): void {
  const unknown = facts.find(({ kind }) => !Object.hasOwn(KINDS, kind))
  if (unknown === undefined) return
  throw new SluiceError(
    'STATE_NEWER',
    `the record holds a fact of the kind ${String(unknown.kind)}, which this sluice does not know`,
    { hint: 'start the newer sluice again, or restore a backup of before the upgrade' },
  )
}
