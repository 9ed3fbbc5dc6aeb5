import { type FieldType, type Schema, typeOf } from '../../../../lib/kube-schema/schema.ts'
import type { Json } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'

type CheckValue = (type: FieldType, value: Json, path: string, errors: FieldError[]) => void

/** Faults of `anyOf`, `oneOf`, `allOf` and `not`, in the words of the library that the real server has. @see k8s.io/kube-openapi/pkg/validation/validate schema_props.go */
export function checkCombined(
  { schema }: FieldType,
  value: Json,
  path: string,
  errors: FieldError[],
  check: CheckValue,
): void {
  const faultsOf = (part: Schema): FieldError[] => {
    const found: FieldError[] = []
    check(typeOf(part), value, path, found)
    return found
  }
  const bad = (why: string): void =>
    void errors.push({ field: '<nil>', type: 'Invalid', message: `Invalid value: "": "${path}" ${why}` })
  const any = (schema.anyOf ?? []).map(faultsOf)
  if (any.length > 0 && any.every((faults) => faults.length > 0)) {
    bad('must validate at least one schema (anyOf)')
    errors.push(...fewest(any))
  }
  const one = (schema.oneOf ?? []).map(faultsOf)
  const fitting = one.filter((faults) => faults.length === 0).length
  if (one.length > 0 && fitting !== 1) {
    bad(
      `must validate one and only one schema (oneOf). Found ${fitting === 0 ? 'none valid' : `${fitting} valid alternatives`}`,
    )
    if (fitting === 0) errors.push(...fewest(one))
  }
  const all = (schema.allOf ?? []).map(faultsOf)
  const failing = all.filter((faults) => faults.length > 0)
  errors.push(...failing.flat())
  if (failing.length > 0)
    bad(`must validate all the schemas (allOf)${failing.length === all.length ? '. None validated' : ''}`)
  if (schema.not !== undefined && faultsOf(schema.not).length === 0) bad('must not validate the schema (not)')
}

/** Of the alternatives the one that fits best. */
function fewest(alternatives: readonly FieldError[][]): FieldError[] {
  return alternatives.reduce((best, each) => (each.length < best.length ? each : best))
}
