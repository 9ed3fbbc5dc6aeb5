import { isRecord } from '../../lib/value/is-record.ts'
import { goQuote } from '../../lib/value/go-quote.ts'

type Fields = Readonly<Record<string, unknown>>

const NOTHING = 'no configuration has been provided, try setting KUBERNETES_MASTER environment variable'
const NO_SERVER = 'cluster has no server defined'

/**
 * What Kubernetes' own client (client-go 0.36) finds wrong with a kubeconfig before it connects, in its words; undefined when it would try.
 *
 * Fields of a wrong type are passed over: who connects by them says so.
 */
export function kubeconfigFault(root: Fields): string | undefined {
  const kindFault = kindFaultOf(root)
  if (kindFault !== undefined) return kindFault
  const contextName = textOf(root, 'current-context')
  const context = namedIn(root['contexts'], contextName, 'context')
  const userName = textOf(context, 'user')
  const clusterName = textOf(context, 'cluster')
  const faults = [
    ...(contextName !== '' && !context ? [`context was not found for specified context: ${contextName}`] : []),
    ...userFaults(namedIn(root['users'], userName, 'user'), userName),
    ...clusterFaults(namedIn(root['clusters'], clusterName, 'cluster'), clusterName),
  ]
  const [first, ...others] = faults
  if (first === undefined) return undefined
  const told = others.length > 0 ? `[${faults.join(', ')}]` : first === NO_SERVER ? NOTHING : first
  return `invalid configuration: ${told}`
}

function kindFaultOf(root: Fields): string | undefined {
  const version = root['apiVersion'] || 'v1'
  const kind = root['kind'] || 'Config'
  for (const [field, value] of Object.entries({ apiVersion: version, kind }))
    if (typeof value !== 'string')
      return `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonType(value)} into Go struct field .${field} of type string`
  if (version === 'v1' && kind === 'Config') return undefined
  return `no kind "${String(kind)}" is registered for version "${String(version)}" in scheme "pkg/runtime/scheme.go:111"`
}

function userFaults(user: Fields | undefined, name: string): readonly string[] {
  if (!user) return []
  const has = (...fields: readonly string[]): boolean => fields.some((field) => user[field])
  const methods = [...(has('token') ? ['token'] : []), ...(has('username', 'password') ? ['basicAuth'] : [])]
  const hasCertificate = has('client-certificate', 'client-certificate-data')
  const asks = has('as-uid', 'as-groups', 'as-user-extra')
  return [
    ...(hasCertificate && !has('client-key', 'client-key-data')
      ? [`client-key-data or client-key must be specified for ${name} to use the clientCert authentication method.`]
      : []),
    ...(methods.length > 1
      ? [`more than one authentication method found for ${name}; found [${methods.join(' ')}], only one is allowed`]
      : []),
    ...(asks && !has('as') ? [`requesting uid, groups or user-extra for ${name} without impersonating a user`] : []),
  ]
}

function clusterFaults(cluster: Fields | undefined, name: string): readonly string[] {
  if (!cluster || Object.values(cluster).every((value) => !value)) return [NO_SERVER]
  if (cluster['server']) return []
  return [name === '' ? 'default cluster has no server defined' : `no server found for cluster ${goQuote(name)}`]
}

function namedIn(list: unknown, name: string, inner: string): Fields | undefined {
  if (!Array.isArray(list)) return undefined
  const entry: unknown = list.find((one) => isRecord(one) && (one['name'] ?? '') === name)
  if (!isRecord(entry)) return undefined
  return isRecord(entry[inner]) ? entry[inner] : {}
}

function textOf(fields: Fields | undefined, name: string): string {
  const value = fields?.[name]
  return typeof value === 'string' ? value : ''
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
