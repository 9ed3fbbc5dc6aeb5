import { parseNetwork } from '../../../../lib/kube/addresses.ts'
import { isObject, type JsonObject, listOf, numberOf, objectOf, stringOf } from '../../../../lib/kube/json.ts'
import { matchLabels } from '../../../../lib/kube/selector.ts'
import type { FieldError } from '../../fault.ts'
import { checkAddress, checkNetworkText } from '../addresses.ts'
import {
  type Below,
  type Check,
  checkName,
  checkNatural,
  forbid,
  invalidValue,
  required,
  unsupported,
} from '../fault-list.ts'
import { checkLabels } from '../meta.ts'
import { checkRequirements } from '../pods/resource-checks.ts'
import { givenLabels } from './apps-checks.ts'
import { labelError, pathSegmentError, subdomainError } from '../../../../lib/kube/names.ts'

/** Checks of kinds that have few. @see k8s.io/kubernetes/pkg/apis/{core,apps,networking,node,scheduling,storage}/validation */
export const OTHER_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.ReplicationControllerSpec': checkController,
  'apps.v1.ControllerRevision': ({ data, revision }, _path, errors) => {
    checkNatural(revision, 'revision', errors)
    if (data === undefined || data === null) required(errors, 'data', 'data is mandatory')
    else if (!isObject(data)) required(errors, 'data', 'data must be a valid JSON object')
  },
  'node.v1.RuntimeClass': ({ handler, overhead, scheduling }, _path, errors) => {
    if (stringOf(handler) === '') required(errors, 'handler')
    else checkName(handler, 'handler', labelError, errors)
    const requirements = { limits: objectOf(overhead).podFixed ?? {} }
    checkRequirements(requirements, 'overhead', errors)
    checkLabels(objectOf(scheduling).nodeSelector, 'scheduling.nodeSelector', errors)
  },
  'networking.v1.IPAddress': ({ metadata, spec }, _path, errors) => {
    const name = stringOf(objectOf(metadata).name)
    if (name !== '') checkAddress(name, 'metadata.name', errors, true)
    checkParent(objectOf(spec).parentRef, errors)
  },
  'networking.v1.ServiceCIDRSpec': checkRanges,
}

/** Faults of the ranges of a ServiceCIDR. */
export function checkRanges({ cidrs }: JsonObject, path: string, errors: FieldError[]): void {
  const all = listOf(cidrs).map(stringOf)
  const at = `${path}.cidrs`
  if (all.length === 0) required(errors, at, 'at least one CIDR required')
  if (all.length > 2) return invalidValue(errors, at, { CIDRs: all }, 'may only hold up to 2 values')
  all.forEach((each, index) => void checkNetworkText(each, `${at}[${index}]`, errors, true))
  const [first, second] = all.map((each) => parseNetwork(each)?.address.family)
  if (first !== undefined && first === second)
    invalidValue(
      errors,
      at,
      all,
      'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    )
}

function checkController({ selector, template }: JsonObject, path: string, errors: FieldError[], below: Below): void {
  const wanted = objectOf(selector)
  if (Object.keys(wanted).length === 0) required(errors, `${path}.selector`)
  if (!isObject(template) || Object.keys(template).length === 0) return required(errors, `${path}.template`)
  const { labels } = objectOf(template.metadata)
  const fits = matchLabels(
    Object.entries(wanted).map(([key, value]) => ({ key, operator: 'in', values: [stringOf(value)] })),
  )(labels)
  if (Object.keys(wanted).length > 0 && !fits)
    invalidValue(
      errors,
      `${path}.template.metadata.labels`,
      givenLabels(template),
      '`selector` does not match template `labels`',
    )
  below('template')
  const { restartPolicy, activeDeadlineSeconds } = objectOf(template.spec)
  const at = `${path}.template.spec`
  if (restartPolicy !== undefined && restartPolicy !== 'Always')
    unsupported(errors, `${at}.restartPolicy`, restartPolicy, ['Always'])
  if (numberOf(activeDeadlineSeconds) !== undefined)
    forbid(errors, `${at}.activeDeadlineSeconds`, 'activeDeadlineSeconds in ReplicationController is not Supported')
}

function checkParent(parent: JsonObject[string], errors: FieldError[]): void {
  const at = 'spec.parentRef'
  if (!isObject(parent)) return required(errors, at)
  const group = stringOf(parent.group)
  const why = group === '' ? undefined : subdomainError(group)
  if (why !== undefined) invalidValue(errors, `${at}.group`, group, why)
  for (const field of ['resource', 'name', 'namespace']) {
    const value = stringOf(parent[field])
    const fault = pathSegmentError(value)
    if (value === '' && field !== 'namespace') required(errors, `${at}.${field}`)
    else if (fault !== undefined) invalidValue(errors, `${at}.${field}`, value, fault)
  }
}
