import { isObject, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { labelKeyErrors, labelValueErrors } from '../../../lib/kube/names.ts'
import { parseFieldSelector, parseLabelSelector } from '../../../lib/kube/selector.ts'
import type { FieldError } from '../fault.ts'
import { forbid, invalidFor, invalidValue, required } from '../validation/fault-list.ts'

const SELECTORS = ['fieldSelector', 'labelSelector'] as const
type Name = (typeof SELECTORS)[number]

const NEED_VALUES = ['In', 'NotIn']
const HAVE_NONE = ['Exists', 'DoesNotExist']

/**
 * Faults of what a review narrows a request to: a text or a list of requirements, and not both. Operators that nobody knows may come from newer
 * clients.
 *
 * @see k8s.io/kubernetes/pkg/apis/authorization/validation
 */
export function selectorFaults(spec: JsonObject): FieldError[] {
  const errors: FieldError[] = []
  for (const name of SELECTORS) {
    const selector = objectOf(spec.resourceAttributes)[name]
    if (!isObject(selector)) continue
    const at = `spec.resourceAttributes.${name}`
    const raw = stringOf(selector.rawSelector)
    const requirements = objectsOf(selector.requirements)
    if (raw !== '' && requirements.length > 0)
      invalidValue(errors, `${at}.rawSelector`, raw, 'may not specified at the same time as requirements')
    if (raw === '' && requirements.length === 0)
      required(errors, `${at}.requirements`, `when ${at} is specified, requirements or rawSelector is required`)
    requirements.forEach((each, index) => checkRequirement(name, each, `${at}.requirements[${index}]`, errors))
  }
  return errors
}

function checkRequirement(name: Name, { key, operator, values }: JsonObject, path: string, errors: FieldError[]): void {
  const list = listOf(values).map(stringOf)
  if (name === 'fieldSelector' && stringOf(key) === '') required(errors, `${path}.key`, 'must be specified')
  if (NEED_VALUES.includes(stringOf(operator)) && list.length === 0)
    required(errors, `${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")
  if (HAVE_NONE.includes(stringOf(operator)) && list.length > 0)
    forbid(errors, `${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
  if (name === 'fieldSelector') return
  invalidFor(errors, `${path}.key`, stringOf(key), labelKeyErrors(stringOf(key)))
  list.forEach((value, index) => invalidFor(errors, `${path}.values[${index}]`, value, labelValueErrors(value)))
}

/** What of the selectors is not understood, and therefore allows more than was asked; '' for nothing. */
export function evaluationError(spec: JsonObject): string {
  const told = SELECTORS.flatMap((name) => {
    const selector = objectOf(objectOf(spec.resourceAttributes)[name])
    const usable = usableIn(name, selector)
    if (usable.every(Boolean)) return []
    const part = usable.some(Boolean) ? 'partially ' : ''
    return `spec.resourceAttributes.${name} ${part}ignored due to parse error`
  })
  return told.join('; ')
}

function usableIn(name: Name, { rawSelector, requirements }: JsonObject): boolean[] {
  const list = objectsOf(requirements)
  if (list.length === 0) return [canParse(name, stringOf(rawSelector))]
  return list.map(({ operator, values }) =>
    name === 'labelSelector'
      ? [...NEED_VALUES, ...HAVE_NONE].includes(stringOf(operator))
      : NEED_VALUES.includes(stringOf(operator)) && listOf(values).length === 1,
  )
}

function canParse(name: Name, text: string): boolean {
  try {
    if (name === 'labelSelector') parseLabelSelector(text)
    else parseFieldSelector(text)
    return true
  } catch {
    return false
  }
}
