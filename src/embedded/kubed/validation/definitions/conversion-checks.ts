import {
  isObject,
  type Json,
  type JsonObject,
  listOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../../lib/kube/json.ts'
import { label1035Error, subdomainError } from '../../../../lib/kube/names.ts'
import type { FieldError } from '../../fault.ts'
import { type Obj, specOf } from '../../object.ts'
import { forbid, invalidValue, required, unsupported } from '../fault-list.ts'

/** Versions of ConversionReview that the server speaks. */
const REVIEWS = ['v1', 'v1beta1']
const URL_FORM = '; desired format: https://host[/path]'
const LAST_PORT = 65535

/** Faults of how a definition's versions are converted. `before` is the definition as it was. */
export function checkConversion(conversion: JsonObject, before: Obj | undefined, errors: FieldError[]): void {
  const path = 'spec.conversion'
  const { strategy, webhook } = conversion
  const { clientConfig, conversionReviewVersions: reviews } = objectOf(webhook)
  if (stringOf(strategy) === '') required(errors, `${path}.strategy`)
  else if (strategy !== 'None' && strategy !== 'Webhook')
    unsupported(errors, `${path}.strategy`, strategy, ['None', 'Webhook'])
  if (strategy === 'Webhook') {
    checkClient(clientConfig, `${path}.webhookClientConfig`, errors)
    checkReviews(listOf(reviews), mustBeKnown(before), `${path}.conversionReviewVersions`, errors)
    return
  }
  const why = 'should not be set when strategy is not set to Webhook'
  if (clientConfig !== undefined) forbid(errors, `${path}.webhookClientConfig`, why)
  if (listOf(reviews).length > 0) forbid(errors, `${path}.conversionReviewVersions`, why)
}

/** True once a definition is served: what it says is relied upon. */
export function isEstablished({ status }: Obj): boolean {
  return objectsOf(objectOf(status).conditions).some(
    ({ type, status: value }) => type === 'Established' && value === 'True',
  )
}

/** A definition that never spoke a known version of the review may go on so. */
function mustBeKnown(before: Obj | undefined): boolean {
  const old =
    before === undefined ? [] : listOf(objectOf(objectOf(specOf(before).conversion).webhook).conversionReviewVersions)
  return old.length === 0 || old.some((name) => REVIEWS.includes(stringOf(name)))
}

function checkReviews(names: readonly Json[], mustKnow: boolean, path: string, errors: FieldError[]): void {
  if (names.length === 0) return required(errors, path)
  names.forEach((name, index) => {
    const at = `${path}[${index}]`
    if (names.indexOf(name) < index) return invalidValue(errors, at, name, 'duplicate version')
    const why = label1035Error(stringOf(name))
    if (why !== undefined) invalidValue(errors, at, name, why)
  })
  if (mustKnow && !names.some((name) => REVIEWS.includes(stringOf(name))))
    invalidValue(errors, path, [...names], `must include at least one of ${REVIEWS.join(', ')}`)
}

function checkClient(client: Json | undefined, path: string, errors: FieldError[]): void {
  if (!isObject(client)) return required(errors, path, 'required when strategy is set to Webhook')
  const { url, service } = client
  if ((url === undefined) === (service === undefined))
    required(errors, path, 'exactly one of url or service is required')
  else if (url === undefined) checkService(objectOf(service), `${path}.service`, errors)
  else checkUrl(stringOf(url), `${path}.url`, errors)
}

/** @see k8s.io/apiserver/pkg/util/webhook validation.go */
function checkUrl(text: string, path: string, errors: FieldError[]): void {
  // What stands where in a text that need not be a whole URL. @see RFC 3986, appendix B
  const [, scheme = '', authority = '', , query = '', fragment = ''] =
    /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text) ?? []
  const user = authority.lastIndexOf('@')
  if (scheme.toLowerCase() !== 'https')
    invalidValue(errors, path, scheme.toLowerCase(), `'https' is the only allowed URL scheme${URL_FORM}`)
  if (authority.length === user + 1) invalidValue(errors, path, '', `host must be specified${URL_FORM}`)
  if (user >= 0) invalidValue(errors, path, authority.slice(0, user), 'user information is not permitted in the URL')
  if (fragment !== '') invalidValue(errors, path, fragment, 'fragments are not permitted in the URL')
  if (query !== '') invalidValue(errors, path, query, 'query parameters are not permitted in the URL')
}

function checkService({ name, namespace, path: given, port }: JsonObject, path: string, errors: FieldError[]): void {
  // The real server hands the two over in each other's place, so it tells of the one where the other is missing.
  if (stringOf(namespace) === '') required(errors, `${path}.name`)
  if (stringOf(name) === '') required(errors, `${path}.namespace`)
  if (typeof port === 'number' && (port < 1 || port > LAST_PORT))
    invalidValue(errors, `${path}.port`, port, `port is not valid: must be between 1 and ${LAST_PORT}, inclusive`)
  if (typeof given === 'string') checkPath(given, `${path}.path`, errors)
}

function checkPath(path: string, at: string, errors: FieldError[]): void {
  if (path === '/' || path === '') return
  if (path === '//') return invalidValue(errors, at, path, 'segment[0] may not be empty')
  if (!path.startsWith('/')) invalidValue(errors, at, path, "must start with a '/'")
  const segments = path.slice(1).replace(/\/$/, '').split('/')
  segments.forEach((segment, index) => {
    const why = segment === '' ? 'may not be empty' : subdomainError(segment)
    if (why !== undefined) invalidValue(errors, at, path, `segment[${index}]${segment === '' ? ' ' : ': '}${why}`)
  })
}
