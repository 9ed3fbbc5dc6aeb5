import { product, sum } from '../../../../lib/cel/cost/size.ts'
import type { FieldError } from '../../fault.ts'
import { forbid } from '../fault-list.ts'

/** Units that one rule may cost, and all rules of a definition. */
const RULE_LIMIT = 10_000_000
const DEFINITION_LIMIT = 100_000_000
/** Rules that are named when all together are too much. */
const MOST_NAMED = 4

/** Adds up what the rules of a definition cost at most, in the units of CEL. @see k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation */
export class RuleCosts {
  #total = 0
  readonly #dear: { readonly path: string; readonly cost: number }[] = []

  /** Counts a rule that may be asked `instances` times, and tells when it alone is too much. */
  add(cost: number, instances: number, what: string, path: string, errors: FieldError[]): void {
    const whole = product(cost, instances)
    if (whole > RULE_LIMIT) forbid(errors, path, tooMuch(`estimated ${what} cost`, whole, RULE_LIMIT))
    this.#total = sum(this.#total, whole)
    if (whole >= DEFINITION_LIMIT / 100) this.#dear.push({ path, cost: whole })
  }

  /** Faults of the definition as a whole, whose schema is at `path`. */
  faults(path: string): FieldError[] {
    const errors: FieldError[] = []
    if (this.#total <= DEFINITION_LIMIT) return errors
    const dearest = [...this.#dear].sort((a, b) => b.cost - a.cost).slice(0, MOST_NAMED)
    for (const each of dearest)
      forbid(
        errors,
        each.path,
        'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
      )
    const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema'
    forbid(errors, path, tooMuch(what, this.#total, DEFINITION_LIMIT))
    return errors
  }
}

function tooMuch(what: string, cost: number, limit: number): string {
  const factor = cost / limit
  const times = factor > 100 ? 'more than 100x' : `${factor.toFixed(factor < 1.5 ? 6 : 1)}x`
  return `${what} exceeds budget by factor of ${times} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`
}
