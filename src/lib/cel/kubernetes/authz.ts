import type { Environment } from '@marcbachmann/cel-js'
import { labelError, subdomainError } from '../../kube/names.ts'

/** What is asked of an authorizer: for a resource, or for a path. */
export type Access = {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly path?: string
}

/** Another one than who sent the request. */
export type Account = { readonly namespace: string; readonly name: string }

/** Says whether access is allowed, to who sent the request or to an account. */
export type Judge = (access: Access, account: Account | undefined) => { isAllowed: boolean; reason: string }

/** Asks of a resource, step by step. */
class ResourceCheck {
  readonly judge: Judge
  readonly account: Account | undefined
  readonly access: Access
  constructor(judge: Judge, account: Account | undefined, access: Access) {
    this.judge = judge
    this.account = account
    this.access = access
  }
}

class GroupCheck {
  readonly of: Authorizer
  readonly group: string
  constructor(of: Authorizer, group: string) {
    this.of = of
    this.group = group
  }
}

class PathCheck {
  readonly of: Authorizer
  readonly path: string
  constructor(of: Authorizer, path: string) {
    this.of = of
    this.path = path
  }
}

class Decision {
  readonly isAllowed: boolean
  readonly reason: string
  constructor({ isAllowed, reason }: ReturnType<Judge>) {
    this.isAllowed = isAllowed
    this.reason = reason
  }
}

/** The value that expressions call `authorizer`. */
export class Authorizer {
  readonly judge: Judge
  readonly account: Account | undefined
  /** Asks of what the request is about. */
  readonly requestResource: ResourceCheck
  constructor(judge: Judge, request: Omit<Access, 'verb'>, account?: Account) {
    this.judge = judge
    this.account = account
    this.requestResource = new ResourceCheck(judge, account, { ...request, verb: '' })
  }
}

const PACKAGE = 'kubernetes.authorization'
/** The type of an {@link Authorizer} in expressions. */
export const AUTHORIZER = `${PACKAGE}.Authorizer`
const [PATH, GROUP, RESOURCE, DECISION] = ['PathCheck', 'GroupCheck', 'ResourceCheck', 'Decision'].map(
  (name) => `${PACKAGE}.${name}`,
)

const NOTHING: Access = { verb: '', group: '', resource: '', subresource: '', namespace: '', name: '' }

/**
 * What expressions of policies ask of an authorizer.
 *
 * @see https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library
 */
export function withAuthorizer(environment: Environment): Environment {
  const narrow = (name: string, more: (text: string) => Partial<Access>): Environment =>
    environment.registerFunction(
      `${RESOURCE}.${name}(string): ${RESOURCE}`,
      ({ judge, account, access }: ResourceCheck, text: string) =>
        new ResourceCheck(judge, account, { ...access, ...more(text) }),
    )
  environment
    .registerType(`${RESOURCE}`, ResourceCheck)
    .registerType(`${PATH}`, PathCheck)
    .registerType(`${GROUP}`, GroupCheck)
    .registerType(`${DECISION}`, Decision)
    .registerType(AUTHORIZER, { ctor: Authorizer, fields: { requestResource: `${RESOURCE}` } })
    .registerFunction(`${AUTHORIZER}.path(string): ${PATH}`, (of: Authorizer, path: string) => {
      if (path.trim() === '') throw new Error('path must not be empty')
      return new PathCheck(of, path)
    })
    .registerFunction(
      `${AUTHORIZER}.group(string): ${GROUP}`,
      (of: Authorizer, group: string) => new GroupCheck(of, group),
    )
    .registerFunction(`${AUTHORIZER}.serviceAccount(string, string): ${AUTHORIZER}`, asAccount)
    .registerFunction(`${GROUP}.resource(string): ${RESOURCE}`, ({ of, group }: GroupCheck, resource: string) => {
      if (resource.trim() === '') throw new Error('resource must not be empty')
      return new ResourceCheck(of.judge, of.account, { ...NOTHING, group, resource })
    })
  narrow('subresource', (subresource) => ({ subresource }))
  narrow('namespace', (namespace) => ({ namespace }))
  narrow('name', (name) => ({ name }))
  // Roles know of no selectors.
  narrow('fieldSelector', () => ({}))
  narrow('labelSelector', () => ({}))
  return environment
    .registerFunction(
      `${RESOURCE}.check(string): ${DECISION}`,
      ({ judge, account, access }: ResourceCheck, verb: string) => new Decision(judge({ ...access, verb }, account)),
    )
    .registerFunction(
      `${PATH}.check(string): ${DECISION}`,
      ({ of, path }: PathCheck, verb: string) => new Decision(of.judge({ ...NOTHING, path, verb }, of.account)),
    )
    .registerFunction(`${DECISION}.allowed(): bool`, ({ isAllowed }: Decision) => isAllowed)
    .registerFunction(`${DECISION}.reason(): string`, ({ reason }: Decision) => reason)
    .registerFunction(`${DECISION}.errored(): bool`, () => false)
    .registerFunction(`${DECISION}.error(): string`, () => '')
}

function asAccount({ judge, requestResource }: Authorizer, namespace: string, name: string): Authorizer {
  if (subdomainError(name) !== undefined) throw new Error('Invalid service account name')
  if (labelError(namespace) !== undefined) throw new Error('Invalid service account namespace')
  return new Authorizer(judge, requestResource.access, { namespace, name })
}
