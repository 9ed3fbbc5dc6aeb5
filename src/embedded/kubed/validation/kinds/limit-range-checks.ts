import { type Json, type JsonObject, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import type { Quantity } from '../../../../lib/kube/quantity.ts'
import type { FieldError } from '../../fault.ts'
import { type Check, duplicate, forbid, invalidFor, invalidValue, required } from '../fault-list.ts'
import { labelKeyErrors } from '../../../../lib/kube/names.ts'
import { amountOf, checkContainerResource, checkResource } from '../pods/resource-checks.ts'

const TYPES = ['Pod', 'Container', 'PersistentVolumeClaim']
const NANO = 1_000_000_000n

/** Checks of limit ranges. @see k8s.io/kubernetes/pkg/apis/core/validation ValidateLimitRange */
export const LIMIT_RANGE_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.LimitRangeSpec': ({ limits }, path, errors) => {
    const seen = new Set<string>()
    objectsOf(limits).forEach((item, index) => {
      const at = `${path}.limits[${index}]`
      const type = stringOf(item.type)
      const reasons = labelKeyErrors(type)
      invalidFor(errors, `${at}.type`, type, reasons)
      if (reasons.length === 0 && !type.includes('/') && !TYPES.includes(type))
        invalidValue(errors, `${at}.type`, type, 'must be a standard limit type or fully qualified')
      if (seen.has(type)) duplicate(errors, `${at}.type`, type)
      seen.add(type)
      checkItem(item, at, errors)
    })
  },
}

function checkItem(item: JsonObject, path: string, errors: FieldError[]): void {
  const isPod = item.type === 'Pod'
  const names = new Set<string>()
  const gather = (field: string): void => {
    for (const name of Object.keys(objectOf(item[field]))) {
      const at = `${path}.${field}[${name}]`
      if (isPod || item.type === 'Container') checkContainerResource(name, at, errors)
      else checkResource(name, at, errors)
      names.add(name)
    }
  }
  gather('max')
  gather('min')
  for (const field of ['default', 'defaultRequest']) {
    if (!isPod) gather(field)
    else if (Object.keys(objectOf(item[field])).length > 0)
      forbid(errors, `${path}.${field}`, "may not be specified when `type` is 'Pod'")
  }
  if (
    item.type === 'PersistentVolumeClaim' &&
    [item.min, item.max].every((each) => objectOf(each).storage === undefined)
  )
    required(errors, `${path}.limits`, 'either minimum or maximum storage value is required, but neither was provided')
  gather('maxLimitRequestRatio')
  for (const name of names) checkOrder(item, name, path, errors)
}

function checkOrder(item: JsonObject, name: string, path: string, errors: FieldError[]): void {
  const isPod = item.type === 'Pod'
  const of = (field: string): Quantity | undefined => amountOf(pick(item, field, name))
  const [min, max, ratio] = [of('min'), of('max'), of('maxLimitRequestRatio')]
  const limit = isPod ? undefined : of('default')
  const request = isPod ? undefined : of('defaultRequest')
  const least = (low: Quantity | undefined, high: Quantity | undefined): boolean =>
    low !== undefined && high !== undefined && low.nano > high.nano
  const bad = (field: string, value: Quantity | undefined, why: string): void =>
    invalidValue(errors, `${path}.${field}[${name}]`, value?.text, why)
  if (least(min, max)) bad('min', min, `min value ${min?.text} is greater than max value ${max?.text}`)
  if (least(min, request))
    bad('defaultRequest', request, `min value ${min?.text} is greater than default request value ${request?.text}`)
  if (least(request, max))
    bad('defaultRequest', request, `default request value ${request?.text} is greater than max value ${max?.text}`)
  if (least(request, limit))
    bad(
      'defaultRequest',
      request,
      `default request value ${request?.text} is greater than default limit value ${limit?.text}`,
    )
  if (least(min, limit)) bad('default', min, `min value ${min?.text} is greater than default value ${limit?.text}`)
  if (least(limit, max)) bad('default', max, `default value ${limit?.text} is greater than max value ${max?.text}`)
  if (ratio !== undefined) checkRatio(ratio, min, max, (why) => bad('maxLimitRequestRatio', ratio, why))
}

function checkRatio(
  ratio: Quantity,
  min: Quantity | undefined,
  max: Quantity | undefined,
  bad: (why: string) => void,
): void {
  if (ratio.nano < NANO) bad(`ratio ${ratio.text} is less than 1`)
  if (min === undefined || max === undefined || min.nano === 0n) return
  const most = Number(max.nano) / Number(min.nano)
  if (Number(ratio.nano) / 1e9 > most) bad(`ratio ${ratio.text} is greater than max/min = ${most.toFixed(6)}`)
}

function pick(item: JsonObject, field: string, name: string): Json | undefined {
  return objectOf(item[field])[name]
}
