import { type Schema, typeOf } from '../../../../lib/kube-schema/schema.ts'
import { addFault, type Findings, merge, noFindings, type Place } from './findings.ts'

/** Faults of `anyOf`, `oneOf`, `allOf` and `not`. @see k8s.io/kube-openapi/pkg/validation/validate schema_props.go */
export function checkCombined(place: Place, check: (place: Place) => Findings): Findings {
  const { anyOf, oneOf, allOf, not } = place.type.schema
  const found = noFindings()
  // What was there before counts for no part of it.
  const under = (part: Schema): Findings => check({ type: typeOf(part), value: place.value, path: place.path })
  const bad = (why: string): void =>
    addFault(found, { field: '<nil>', type: 'Invalid', message: `Invalid value: "": "${place.path}" ${why}` })
  if (anyOf !== undefined && anyOf.length > 0) {
    const fit = firstFit(anyOf.map(under))
    if (fit.faults.length > 0) bad('must validate at least one schema (anyOf)')
    merge(found, fit)
  }
  if (oneOf !== undefined && oneOf.length > 0) {
    const parts = oneOf.map(under)
    const fitting = parts.filter(({ faults }) => faults.length === 0).length
    if (fitting !== 1)
      bad(
        `must validate one and only one schema (oneOf). Found ${fitting === 0 ? 'none valid' : `${fitting} valid alternatives`}`,
      )
    if (fitting < 2) merge(found, firstFit(parts))
  }
  if (allOf !== undefined && allOf.length > 0) {
    const parts = allOf.map(under)
    const failing = parts.filter(({ faults }) => faults.length > 0).length
    for (const part of parts) merge(found, part)
    if (failing > 0) bad(`must validate all the schemas (allOf)${failing === parts.length ? '. None validated' : ''}`)
  }
  if (not !== undefined && under(not).faults.length === 0) bad('must not validate the schema (not)')
  found.checks++
  return found
}

/** The first alternative without faults, else the first of those that went through most checks. */
function firstFit(alternatives: readonly Findings[]): Findings {
  const fit = alternatives.find(({ faults }) => faults.length === 0)
  return fit ?? alternatives.reduce((best, each) => (each.checks > best.checks ? each : best))
}
