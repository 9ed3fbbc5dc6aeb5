import { type Json, type JsonObject, listOf, numberOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import {
  type Check,
  checkName,
  duplicate,
  forbid,
  invalidFor,
  invalidValue,
  required,
  unsupported,
} from '../fault-list.ts'
import { checkLabels } from '../meta.ts'
import { labelError, labelKeyErrors, labelValueErrors, subdomainError } from '../../../../lib/kube/names.ts'

const POLICIES = ['Honor', 'Ignore']
const ACTIONS = ['DoNotSchedule', 'ScheduleAnyway']

/** Checks of affinity, spreading and label selectors. @see k8s.io/kubernetes/pkg/apis/core/validation validateAffinity */
export const PLACEMENT_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.NodeSelector': ({ nodeSelectorTerms }, path, errors) => {
    if (listOf(nodeSelectorTerms).length === 0)
      required(errors, `${path}.nodeSelectorTerms`, 'must have at least one node selector term')
  },
  'core.v1.NodeSelectorRequirement': (requirement, path, errors) => {
    const { operator, values } = requirement
    if (operator === 'Gt' || operator === 'Lt') {
      if (listOf(values).length !== 1)
        required(errors, `${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'")
    } else checkOperator(requirement, path, errors)
    const { key } = requirement
    invalidFor(errors, `${path}.key`, stringOf(key), labelKeyErrors(stringOf(key)))
    // Preferences may be odd: they do no harm.
    if (!path.includes('.preferredDuring')) checkValues(requirement, path, errors)
  },
  'core.v1.NodeSelectorTerm': ({ matchFields }, path, errors, below) => {
    below('matchExpressions')
    objectsOf(matchFields).forEach((each, index) => checkNodeField(each, `${path}.matchFields[${index}]`, errors))
  },
  'core.v1.PreferredSchedulingTerm': checkWeight,
  'core.v1.WeightedPodAffinityTerm': checkWeight,
  'core.v1.PodAffinityTerm': (term, path, errors, below) => {
    const { topologyKey, namespaces, matchLabelKeys, mismatchLabelKeys } = term
    for (const field of ['labelSelector', 'namespaceSelector']) below(field)
    for (const name of listOf(namespaces)) checkName(name, `${path}.namespace`, labelError, errors)
    checkLabelKeys(matchLabelKeys, term, `${path}.matchLabelKeys`, errors)
    checkLabelKeys(mismatchLabelKeys, term, `${path}.mismatchLabelKeys`, errors)
    const at = `${path}.topologyKey`
    const key = stringOf(topologyKey)
    if (key === '') required(errors, at, 'can not be empty')
    invalidFor(errors, at, key, labelKeyErrors(key))
  },
  'meta.v1.LabelSelector': checkLabelSelector,
}

/** Faults of a label selector: of its labels, then of its expressions. */
export function checkLabelSelector(selector: JsonObject, path: string, errors: FieldError[]): void {
  checkLabels(selector.matchLabels, `${path}.matchLabels`, errors)
  objectsOf(selector.matchExpressions).forEach((requirement, index) => {
    const at = `${path}.matchExpressions[${index}]`
    checkOperator(requirement, at, errors)
    checkTerms(requirement, at, errors)
  })
}

function checkOperator({ operator, values }: JsonObject, path: string, errors: FieldError[]): void {
  const count = listOf(values).length
  if (operator === 'In' || operator === 'NotIn') {
    if (count === 0) required(errors, `${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (count > 0)
      forbid(errors, `${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
  } else invalidValue(errors, `${path}.operator`, stringOf(operator), 'not a valid selector operator')
}

function checkTerms({ key, values }: JsonObject, path: string, errors: FieldError[]): void {
  invalidFor(errors, `${path}.key`, stringOf(key), labelKeyErrors(stringOf(key)))
  checkValues({ values }, path, errors)
}

function checkValues({ values }: JsonObject, path: string, errors: FieldError[]): void {
  listOf(values).forEach((value, index) =>
    invalidFor(errors, `${path}.values[${index}]`, value, labelValueErrors(stringOf(value))),
  )
}

/** Of a node's fields only the name can be asked for. */
function checkNodeField({ key, operator, values }: JsonObject, path: string, errors: FieldError[]): void {
  const names = listOf(values)
  if (operator !== 'In' && operator !== 'NotIn')
    invalidValue(errors, `${path}.operator`, stringOf(operator), 'not a valid selector operator')
  else if (names.length !== 1)
    required(
      errors,
      `${path}.values`,
      "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
    )
  if (key !== 'metadata.name')
    return invalidValue(errors, `${path}.key`, stringOf(key), 'not a valid field selector key')
  names.forEach((name, index) => checkName(name, `${path}.values[${index}]`, subdomainError, errors))
}

/** Keys whose values are those of the new pod; they refine a selector. */
function checkLabelKeys(keys: Json | undefined, term: JsonObject, path: string, errors: FieldError[]): void {
  if (listOf(keys).length === 0) return
  if (term.labelSelector === undefined)
    return forbid(errors, path, 'must not be specified when labelSelector is not set')
  listOf(keys).forEach((key, index) => invalidFor(errors, `${path}[${index}]`, key, labelKeyErrors(stringOf(key))))
}

function checkWeight({ weight }: JsonObject, path: string, errors: FieldError[]): void {
  const found = numberOf(weight) ?? 0
  if (found <= 0 || found > 100) invalidValue(errors, `${path}.weight`, found, 'must be in the range 1-100')
}

function checkSpread(constraint: JsonObject, later: readonly JsonObject[], path: string, errors: FieldError[]): void {
  const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint
  const skew = numberOf(maxSkew) ?? 0
  if (skew <= 0) invalidValue(errors, `${path}.maxSkew`, skew, 'must be greater than zero')
  if (stringOf(topologyKey) === '') required(errors, `${path}.topologyKey`, 'can not be empty')
  const action = stringOf(whenUnsatisfiable)
  if (!ACTIONS.includes(action)) unsupported(errors, `${path}.whenUnsatisfiable`, action, ACTIONS)
  if (later.some((each) => each.topologyKey === topologyKey && each.whenUnsatisfiable === whenUnsatisfiable))
    duplicate(errors, `${path}.{topologyKey, whenUnsatisfiable}`, `{${stringOf(topologyKey)}, ${action}}`)
  if (typeof minDomains === 'number') {
    if (minDomains <= 0) invalidValue(errors, `${path}.minDomains`, minDomains, 'must be greater than zero')
    if (action !== 'DoNotSchedule')
      invalidValue(
        errors,
        `${path}.minDomains`,
        minDomains,
        `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`,
      )
  }
  for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy']) {
    const policy = constraint[field]
    if (policy !== undefined && !POLICIES.includes(stringOf(policy)))
      unsupported(errors, `${path}.${field}`, policy, POLICIES)
  }
  checkLabelKeys(constraint.matchLabelKeys, constraint, `${path}.matchLabelKeys`, errors)
}

/** Constraints of spreading: two may not be of the same key and action. */
export function checkSpreads(constraints: readonly JsonObject[], path: string, errors: FieldError[]): void {
  constraints.forEach((constraint, index) =>
    checkSpread(constraint, constraints.slice(index + 1), `${path}[${index}]`, errors),
  )
}
