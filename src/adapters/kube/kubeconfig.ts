import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { isRecord } from '../../lib/value/is-record.ts'
import { loadOne } from '../../lib/yaml/load.ts'

/** How to reach one API server: what the current context of a kubeconfig says, files read. */
export type Connection = {
  /** Without a slash at the end. */
  readonly server: string
  /** The context's namespace. */
  readonly namespace: string
  readonly caPem?: string
  readonly certPem?: string
  readonly keyPem?: string
  readonly token?: string
  /** Read again every minute, because clusters rotate it. */
  readonly tokenFile?: string
  readonly basic?: { readonly username: string; readonly password: string }
  readonly insecure: boolean
  readonly serverName?: string
  /** Impersonation headers, from `as`, `as-uid`, `as-groups`. */
  readonly impersonate?: { readonly user: string; readonly uid?: string; readonly groups: readonly string[] }
}

type Fields = Readonly<Record<string, unknown>>
type Source = { readonly name: string; readonly folder: string | undefined }

/**
 * Reads a kubeconfig: a path, or the text itself (it has a line break or begins with `{`).
 *
 * `exec` and `auth-provider` are refused by name: they run programs that whoever wrote the text chose (CVE-2022-24817).
 * A text that did not come from a file may not point at files either: a `tokenFile` of this machine would be sent to a server of the writer's choice.
 * Nor does it turn off that certificates are verified, as in Flux unless its operator allows that.
 * @param context the context to use instead of `current-context`
 * @throws SluiceError KUBE_CONFIG
 */
export function readKubeconfig(pathOrText: string, context?: string): Connection {
  const isText = pathOrText.includes('\n') || pathOrText.trimStart().startsWith('{')
  const source: Source = isText
    ? { name: '<kubeconfig>', folder: undefined }
    : { name: pathOrText, folder: dirname(resolve(pathOrText)) }
  const root = fieldsOf(loadOne(isText ? pathOrText : readText(pathOrText), source.name))
  if (!root) throw fault(source, 'is not a kubeconfig', '')
  return connectionOf(root, source, context)
}

function connectionOf(root: Fields, source: Source, context: string | undefined): Connection {
  const contextName = context ?? textOf(root['current-context'])
  if (!contextName) throw fault(source, 'has no current-context', 'current-context')
  const chosen = namedIn(root['contexts'], contextName, 'context')
  if (!chosen) throw fault(source, `has no context "${contextName}"`, 'contexts')
  const clusterName = textOf(chosen['cluster']) ?? ''
  const cluster = namedIn(root['clusters'], clusterName, 'cluster')
  if (!cluster) throw fault(source, `has no cluster "${clusterName}"`, 'clusters')
  const userName = textOf(chosen['user'])
  const user = userName ? namedIn(root['users'], userName, 'user') : {}
  if (!user) throw fault(source, `has no user "${userName}"`, 'users')
  return {
    ...clusterPart(cluster, clusterName, source),
    ...userPart(user, userName ?? '', source),
    namespace: textOf(chosen['namespace']) ?? 'default',
  }
}

function clusterPart(cluster: Fields, name: string, source: Source): Omit<Connection, 'namespace'> {
  const server = textOf(cluster['server'])
  const where = `clusters[${name}]`
  if (!server || !/^https?:\/\//.test(server)) throw fault(source, `cluster "${name}" has no server URL`, where)
  if (cluster['proxy-url']) throw fault(source, `cluster "${name}" has a proxy-url, which is not supported`, where)
  const caPem = pemOf(cluster, 'certificate-authority', where, source)
  const serverName = textOf(cluster['tls-server-name'])
  return {
    server: server.replace(/\/+$/, ''),
    insecure: source.folder !== undefined && cluster['insecure-skip-tls-verify'] === true,
    ...(caPem !== undefined && { caPem }),
    ...(serverName !== undefined && { serverName }),
  }
}

function userPart(user: Fields, name: string, source: Source): Partial<Connection> {
  const where = `users[${name}]`
  for (const refused of ['exec', 'auth-provider'])
    if (user[refused] !== undefined)
      throw fault(source, `user "${name}" wants ${refused}, which would run a program: refused`, `${where}.${refused}`)
  const certPem = pemOf(user, 'client-certificate', where, source)
  const keyPem = pemOf(user, 'client-key', where, source)
  const token = textOf(user['token'])
  const tokenFile = textOf(user['tokenFile'])
  const username = textOf(user['username'])
  return {
    ...(certPem !== undefined && { certPem }),
    ...(keyPem !== undefined && { keyPem }),
    ...(token !== undefined && { token }),
    ...(tokenFile !== undefined && { tokenFile: pathIn(tokenFile, `${where}.tokenFile`, source) }),
    ...(username !== undefined && { basic: { username, password: textOf(user['password']) ?? '' } }),
    ...impersonation(user, name, source),
  }
}

/** Half an identity is none: without `as`, what the rest asks for would run with all rights of the user. */
function impersonation(user: Fields, name: string, source: Source): Partial<Connection> {
  const as = textOf(user['as']) ?? ''
  const half = ['as-uid', 'as-groups', 'as-user-extra'].find((field) => user[field] !== undefined)
  if (as === '' && half !== undefined)
    throw fault(source, `user "${name}" says ${half} but not as whom: refused`, `users[${name}].${half}`)
  if (user['as-user-extra'] !== undefined)
    throw fault(source, `user "${name}" wants as-user-extra, which is not supported`, `users[${name}].as-user-extra`)
  if (as === '') return {}
  const uid = textOf(user['as-uid'])
  const groups = Array.isArray(user['as-groups']) ? user['as-groups'].filter((g) => typeof g === 'string') : []
  return { impersonate: { user: as, groups, ...(uid !== undefined && { uid }) } }
}

function pemOf(fields: Fields, key: string, where: string, source: Source): string | undefined {
  const data = textOf(fields[`${key}-data`])
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
  const path = textOf(fields[key])
  return path === undefined ? undefined : readText(pathIn(path, `${where}.${key}`, source))
}

function pathIn(path: string, where: string, source: Source): string {
  if (source.folder === undefined) throw fault(source, `points at the file "${path}": only data is allowed here`, where)
  return resolve(source.folder, path)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new SluiceError('KUBE_CONFIG', `cannot read "${path}"`, { cause, where: path, hint: 'check --kubeconfig' })
  }
}

function namedIn(list: unknown, name: string, inner: string): Fields | undefined {
  if (!Array.isArray(list)) return undefined
  const entry = list.map(fieldsOf).find((fields) => fields?.['name'] === name)
  return entry && (fieldsOf(entry[inner]) ?? {})
}

function fieldsOf(value: unknown): Fields | undefined {
  return isRecord(value) ? value : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function fault(source: Source, message: string, where: string): SluiceError {
  return new SluiceError('KUBE_CONFIG', `kubeconfig ${source.name} ${message}`, where ? { where } : {})
}
