import { isObject, type Json, type JsonObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { containerResources, hasPodResources } from '../../../lib/kube/quota.ts'
import { isQuantityError, parseQuantity, roundUpToMilli } from '../../../lib/kube/quantity.ts'

/** Defaults of a container that depend on its other fields. */
export function defaultContainer(container: JsonObject): void {
  if (container.imagePullPolicy === undefined || container.imagePullPolicy === '')
    container.imagePullPolicy = pullPolicyOf(container.image)
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  if (isObject(container.resources)) return
  container.resources = {}
}

/** Amounts of resources are counted in thousandths, rounded up. In place. */
export function roundResources(list: unknown): void {
  if (!isObject(list)) return
  for (const name in list) {
    const quantity = parseQuantity(stringOf(list[name]))
    if (!isQuantityError(quantity) && quantity.nano % 1_000_000n !== 0n) list[name] = roundUpToMilli(quantity).text
  }
}

/** What may be another image tomorrow is always pulled. */
const pullPolicyOf = (image: Json | undefined): string =>
  tagOf(stringOf(image)) === 'latest' ? 'Always' : 'IfNotPresent'

const LONGEST_IMAGE = 512
/** A name of an image, as the library behind the server reads it. */
const IMAGE =
  /^(?:(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/

/** Tag of an image; `latest` when there is neither tag nor digest. */
function tagOf(image: string): string {
  // What looks like a digest is no name.
  if (image.length > LONGEST_IMAGE || !IMAGE.test(image) || /^[a-f0-9]{64}$/.test(image)) return ''
  const name = image.slice(image.lastIndexOf('/') + 1)
  const [tagged = '', digest] = name.split('@')
  const colon = tagged.indexOf(':')
  if (colon >= 0) return tagged.slice(colon + 1)
  return digest === undefined ? 'latest' : ''
}

/** A volume of no kind is an emptyDir. */
export function defaultVolume(volume: JsonObject): void {
  if (Object.keys(volume).every((field) => field === 'name')) volume.emptyDir = {}
  const { image } = volume
  if (isObject(image) && stringOf(image.pullPolicy) === '') image.pullPolicy = pullPolicyOf(image.reference)
}

/** The name of the account has two fields. */
export function defaultPodSpec(spec: JsonObject): void {
  for (const field of ['restartPolicy', 'dnsPolicy', 'schedulerName']) if (spec[field] === '') delete spec[field]
  if (typeof spec.serviceAccountName === 'string' && spec.serviceAccountName !== '')
    spec.serviceAccount = spec.serviceAccountName
  else if (typeof spec.serviceAccount === 'string' && spec.serviceAccount !== '')
    spec.serviceAccountName = spec.serviceAccount
}

/** Requests that a pod does not name are its limits. Only for pods, not for templates. */
export function defaultPod(pod: JsonObject): void {
  const spec = objectOf(pod.spec)
  spec.enableServiceLinks ??= true
  const { terminationGracePeriodSeconds: grace } = spec
  if (typeof grace === 'number' && grace < 0) spec.terminationGracePeriodSeconds = 1
  for (const list of [spec.containers, spec.initContainers])
    for (const container of objectsOf(list)) {
      requestLimits(container)
      // The network of the host makes ports of containers ports of the host.
      if (spec.hostNetwork === true) for (const port of objectsOf(container.ports)) port.hostPort ??= port.containerPort
    }
  if (isObject(spec.resources)) defaultWhole(spec, spec.resources)
}

/** What the whole pod does not name, its containers do: huge pages of their limits, cpu and memory of their requests; else its limits. */
function defaultWhole(spec: JsonObject, resources: JsonObject): void {
  const [requests, limits] = [objectOf(resources.requests), objectOf(resources.limits)]
  const fill = (list: JsonObject, from: Iterable<readonly [string, string]>): void => {
    for (const [name, text] of from) list[name] ??= text
  }
  const ofContainers = (field: 'requests' | 'limits', isMeant: (name: string) => boolean): [string, string][] =>
    [...containerResources(spec, field)].filter(([name]) => isMeant(name)).map(([name, { text }]) => [name, text])
  const isHuge = (name: string): boolean => name.startsWith('hugepages-')
  const isCompute = (name: string): boolean => COMPUTE.includes(name)
  if (Object.keys(requests).length + Object.keys(limits).length > 0) fill(limits, ofContainers('limits', isHuge))
  if (Object.keys(limits).length === 0) return
  resources.limits = limits
  fill(requests, ofContainers('requests', isCompute))
  for (const name in limits) if (isCompute(name) || isHuge(name)) requests[name] ??= limits[name]
  if (Object.keys(requests).length > 0) resources.requests = requests
}

function requestLimits(holder: JsonObject): void {
  const resources = objectOf(holder.resources)
  if (!isObject(resources.limits) || Object.keys(resources.limits).length === 0) return
  const requests = isObject(resources.requests) ? resources.requests : {}
  for (const name in resources.limits) requests[name] ??= resources.limits[name]
  resources.requests = requests
}

const COMPUTE = ['cpu', 'memory']

/** Quality of service class: from requests and limits of cpu and memory, those of the whole pod where it has them. */
export function qosClassOf(spec: JsonObject): string {
  if (hasPodResources(spec)) return classOf(objectOf(spec.resources))
  const containers = [...objectsOf(spec.initContainers), ...objectsOf(spec.containers)]
  return agreed(containers.map(({ resources }) => classOf(objectOf(resources))))
}

const classOf = ({ limits, requests }: JsonObject): string =>
  agreed(
    COMPUTE.map((name) => {
      const limit = amount(objectOf(limits)[name])
      if (amount(objectOf(requests)[name]) !== limit) return 'Burstable'
      return limit === 0n ? 'BestEffort' : 'Guaranteed'
    }),
  )

/** The class of all; what differs in class is burstable. */
function agreed(classes: readonly string[]): string {
  const [first = 'BestEffort'] = classes
  return classes.every((each) => each === first) ? first : 'Burstable'
}

function amount(value: unknown): bigint {
  if (typeof value !== 'string') return 0n
  const quantity = parseQuantity(value)
  return isQuantityError(quantity) ? 0n : quantity.nano
}
