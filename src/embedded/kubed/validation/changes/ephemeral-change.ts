import { internalForm } from '../../../../lib/kube-schema/go-types.ts'
import { equal, type JsonObject, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { forbid } from '../fault-list.ts'
import { isSet } from '../pods/ephemeral-checks.ts'
import { linesOf, unifiedDiff } from './diff-text.ts'

const AT = 'spec.ephemeralContainers'

/** What was added stays as it is. @see ValidatePodEphemeralContainersUpdate */
export function checkEphemeralChange(spec: JsonObject, old: JsonObject, errors: FieldError[]): void {
  const now = new Map(objectsOf(spec.ephemeralContainers).map((each) => [nameOf(each), each]))
  for (const had of objectsOf(old.ephemeralContainers)) {
    const name = nameOf(had)
    const kept = now.get(name)
    const what = `existing ephemeral containers ${JSON.stringify(name)} may not be`
    if (kept === undefined) forbid(errors, AT, `${what} removed\n`)
    else if (!equal(said(kept), said(had))) forbid(errors, AT, `${what} changed\n${difference(had, kept)}`)
  }
}

/** What changed, as the internal kind has it. */
function difference(had: JsonObject, kept: JsonObject): string {
  const [before, after] = [had, kept].map((each) => internalForm('core/EphemeralContainer', each) ?? {})
  return unifiedDiff(linesOf(before ?? {}), linesOf(after ?? {}))
}

/** A container without what says nothing: JSON may leave it out, protobuf never does. Its structs with pointers are compared as they are. */
const said = (container: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(container)
      .filter(([field, value]) => isSet(container, field) && value !== '' && value !== false)
      .map(([field, value]) => [field, isOfPlain(field) ? objectsOf(value).map(said) : value]),
  )

/** Whether a field is a list of objects whose texts and booleans are no pointers. */
const isOfPlain = (field: string): boolean => ['env', 'volumeMounts', 'volumeDevices'].includes(field)

const nameOf = ({ name }: JsonObject): string => stringOf(name)
