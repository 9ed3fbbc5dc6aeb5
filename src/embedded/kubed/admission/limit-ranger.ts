import { isObject, type JsonObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Quantity } from '../../../lib/kube/quantity.ts'
import { amounts, containerResources, NOTHING, type Usage } from '../../../lib/kube/quota.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { forbidden } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'
import { RESIZE } from '../resources/resource.ts'

const KEY = '/limitranges'
const ANNOTATION = 'kubernetes.io/limit-ranger'

/** Gives the containers of a new pod what the limit ranges of its namespace say where they say nothing. In place. */
export function applyLimitDefaults(env: Environment, pod: Obj): void {
  for (const range of env.store.list(KEY, pod.metadata.namespace ?? '')) {
    const container = limitsOf(range).find(({ type }) => type === 'Container')
    if (container === undefined) continue
    const spec = specOf(pod)
    const set = [
      ...objectsOf(spec.containers).flatMap((each) => fill(each, container, 'container')),
      ...objectsOf(spec.initContainers).flatMap((each) => fill(each, container, 'init container')),
    ]
    if (set.length > 0)
      pod.metadata.annotations = {
        ...pod.metadata.annotations,
        [ANNOTATION]: `LimitRanger plugin set: ${set.join('; ')}`,
      }
  }
}

const limitsOf = (range: Obj): JsonObject[] => objectsOf(objectOf(range.spec).limits)

function fill(container: JsonObject, limit: JsonObject, what: string): string[] {
  const resources = objectOf(container.resources)
  const merge = (field: 'requests' | 'limits', defaults: JsonObject): string[] => {
    const list = isObject(resources[field]) ? resources[field] : {}
    const missing = Object.keys(defaults).filter((name) => list[name] === undefined)
    for (const name of missing) list[name] = defaults[name]
    if (Object.keys(list).length > 0) resources[field] = list
    const word = field === 'requests' ? 'request' : 'limit'
    return missing.length === 0 ? [] : [`${missing.sort().join(', ')} ${word} for ${what} ${stringOf(container.name)}`]
  }
  const limits = objectOf(limit.default)
  const said = [...merge('requests', objectOf(limit.defaultRequest)), ...merge('limits', limits)]
  container.resources = resources
  return said
}

/** Refuses a new or resized pod, and a claim, outside the limit ranges of its namespace. */
export function checkLimits(env: Environment, { resource, subresource }: Call, object: Obj, before?: Obj): void {
  if (resource.storageKey === '/pods') {
    if (subresource !== (before === undefined ? '' : RESIZE)) return
  } else if (resource.storageKey !== '/persistentvolumeclaims' || subresource !== '') return
  for (const range of env.store.list(KEY, object.metadata.namespace ?? '')) {
    const faults = limitsOf(range).flatMap((limit) => faultsOf(resource.storageKey, object, limit))
    if (faults.length === 0) continue
    const why = faults.length === 1 ? (faults[0] ?? '') : `[${[...new Set(faults)].join(', ')}]`
    throw forbidden(resource, object.metadata.name, why)
  }
}

function faultsOf(storageKey: string, object: Obj, limit: JsonObject): string[] {
  const spec = objectOf(object.spec)
  if (storageKey === '/persistentvolumeclaims') return claimFaults(spec, limit)
  if (limit.type === 'Pod') {
    return bounds('Pod', limit, ofWhole(spec, 'requests'), ofWhole(spec, 'limits'))
  }
  if (limit.type !== 'Container') return []
  return [...objectsOf(spec.containers), ...objectsOf(spec.initContainers)].flatMap(({ resources }) =>
    bounds('Container', limit, amounts(objectOf(resources).requests), amounts(objectOf(resources).limits)),
  )
}

/** What a pod asks for, without its overhead: of processors and memory as a whole, where it says so. */
function ofWhole(spec: JsonObject, field: 'requests' | 'limits'): Usage {
  const whole = [...amounts(objectOf(spec.resources)[field])].filter(([name]) => name === 'cpu' || name === 'memory')
  return new Map([...containerResources(spec, field), ...whole])
}

function claimFaults(spec: JsonObject, limit: JsonObject): string[] {
  if (limit.type !== 'PersistentVolumeClaim') return []
  const requests = amounts(objectOf(spec.resources).requests)
  const min = [...amounts(limit.min)].map(([name, least]) => below(limit, name, least, requests, new Map()))
  const max = [...amounts(limit.max)].map(([name, most]) => {
    const request = requests.get(name)
    const usage = `maximum ${name} usage per PersistentVolumeClaim is ${most.text}`
    if (request === undefined) return `${usage}.  No request is specified`
    return request.nano > most.nano ? `${usage}, but request is ${request.text}` : undefined
  })
  return [...min, ...max].filter((fault) => fault !== undefined)
}

function bounds(type: string, limit: JsonObject, requests: Usage, limits: Usage): string[] {
  const faults = [
    ...[...amounts(limit.min)].map(([name, least]) => below({ type }, name, least, requests, limits)),
    ...[...amounts(limit.max)].map(([name, most]) => above(type, name, most, requests, limits)),
    ...[...amounts(limit.maxLimitRequestRatio)].map(([name, ratio]) => outOfRatio(type, name, ratio, requests, limits)),
  ]
  return faults.filter((fault) => fault !== undefined)
}

function below(
  { type }: JsonObject,
  name: string,
  least: Quantity,
  requests: Usage,
  limits: Usage,
): string | undefined {
  const request = requests.get(name)
  const limit = limits.get(name)
  const usage = `minimum ${name} usage per ${stringOf(type)} is ${least.text}`
  if (request === undefined) return `${usage}.  No request is specified`
  if (request.nano < least.nano) return `${usage}, but request is ${request.text}`
  return limit !== undefined && limit.nano < least.nano ? `${usage}, but limit is ${limit.text}` : undefined
}

function above(type: string, name: string, most: Quantity, requests: Usage, limits: Usage): string | undefined {
  const request = requests.get(name)
  const limit = limits.get(name)
  const usage = `maximum ${name} usage per ${type} is ${most.text}`
  if (limit === undefined) return `${usage}.  No limit is specified`
  if (limit.nano > most.nano) return `${usage}, but limit is ${limit.text}`
  return request !== undefined && request.nano > most.nano ? `${usage}, but request is ${request.text}` : undefined
}

function outOfRatio(type: string, name: string, most: Quantity, requests: Usage, limits: Usage): string | undefined {
  const request = requests.get(name) ?? NOTHING
  const limit = limits.get(name) ?? NOTHING
  const ratio = `${name} max limit to request ratio per ${type} is ${most.text}`
  if (request.nano === 0n) return `${ratio}, but no request is specified or request is 0`
  if (limit.nano === 0n) return `${ratio}, but no limit is specified or limit is 0`
  const observed = Number(limit.nano) / Number(request.nano)
  return observed > Number(most.nano) / 1e9 ? `${ratio}, but provided ratio is ${observed.toFixed(6)}` : undefined
}
