import { equal, type JsonObject, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { duplicate, forbid, push } from '../fault-list.ts'

const NOT_ALLOWED = 'cannot be set for an Ephemeral Container'
/** What a pod would depend on, in the order of the Go type, in which it is told. */
const NOT_FOR_GUESTS = [
  ...['ports', 'resources', 'resizePolicy', 'restartPolicy', 'restartPolicyRules'],
  ...['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'],
]

/**
 * Checks the containers that were added to a running pod, beside what all containers are checked for.
 *
 * @see k8s.io/kubernetes/pkg/apis/core/validation validateEphemeralContainers
 */
export function checkEphemeral(spec: JsonObject, path: string, errors: FieldError[]): void {
  const others = new Set(objectsOf([...objectsOf(spec.containers), ...objectsOf(spec.initContainers)]).map(nameOf))
  const names = new Set(others)
  objectsOf(spec.ephemeralContainers).forEach((container, index) => {
    const at = `${path}.ephemeralContainers[${index}]`
    const name = nameOf(container)
    if (names.has(name)) duplicate(errors, `${at}.name`, name)
    names.add(name)
    const target = stringOf(container.targetContainerName)
    if (target !== '' && !others.has(target))
      push(errors, `${at}.targetContainerName`, 'NotFound', `Not found: ${JSON.stringify(target)}`)
    for (const field of NOT_FOR_GUESTS) if (isSet(container, field)) forbid(errors, `${at}.${field}`, NOT_ALLOWED)
    objectsOf(container.volumeMounts).forEach((mount, mounted) => {
      for (const field of ['subPath', 'subPathExpr'])
        if (stringOf(mount[field]) !== '') forbid(errors, `${at}.volumeMounts[${mounted}].${field}`, NOT_ALLOWED)
    })
  })
}

const nameOf = ({ name }: JsonObject): string => stringOf(name)

/** An empty object is how Go writes a struct that says nothing. */
export function isSet(container: JsonObject, field: string): boolean {
  const value = container[field]
  return value !== undefined && value !== null && !equal(value, {}) && !equal(value, [])
}
