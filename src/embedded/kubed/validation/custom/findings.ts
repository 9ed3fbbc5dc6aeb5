import type { FieldType } from '../../../../lib/kube-schema/schema.ts'
import type { Json } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'

/** A value in a custom resource, with what was there before, as far as the two can be told to be the same. */
export type Place = {
  readonly type: FieldType
  readonly value: Json
  readonly path: string
  readonly before?: Json | undefined
}

/** What checks of a value found: faults, each once, and how many checks were gone through, which tells alternatives that fit well from those that do not. */
export type Findings = { readonly faults: FieldError[]; checks: number; known?: Set<string> }

/** No fault yet. */
export const noFindings = (): Findings => ({ faults: [], checks: 0 })

/** Adds a fault that was not told before. */
export function addFault(findings: Findings, fault: FieldError): void {
  // Most values are fine: a set for each would be most of their memory.
  findings.known ??= new Set()
  const key = `${fault.field}\0${fault.message}`
  if (findings.known.has(key)) return
  findings.known.add(key)
  findings.faults.push(fault)
}

/** Adds what other checks found. */
export function merge(findings: Findings, other: Findings): void {
  for (const fault of other.faults) addFault(findings, fault)
  findings.checks += other.checks
}
