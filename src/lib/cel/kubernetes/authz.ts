import type { Environment } from '@marcbachmann/cel-js'
import { labelError, subdomainError } from '../../kube/names.ts'
import { nodesBelow, nodesIn, type PlacedFault, type PlacedNode, placeOf } from '../places.ts'

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
  /** Asks of what the request is about; an account is not who sent it. */
  readonly requestResource: ResourceCheck | undefined
  constructor(judge: Judge, request: Omit<Access, 'verb'> | undefined, account?: Account) {
    this.judge = judge
    this.account = account
    this.requestResource =
      request === undefined ? undefined : new ResourceCheck(judge, account, { ...request, verb: '' })
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
  // Roles know of no selectors: one that cannot be read narrows nothing either, and no error is told of it.
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

function asAccount({ judge }: Authorizer, namespace: string, name: string): Authorizer {
  if (subdomainError(name) !== undefined) throw new Error('Invalid service account name')
  if (labelError(namespace) !== undefined) throw new Error('Invalid service account namespace')
  return new Authorizer(judge, undefined, { namespace, name })
}

const REQUEST = 'requestResource'

/**
 * The fault of a `requestResource` that is not the one of `authorizer`: it is a variable with a point in its name, and no field of the type.
 *
 * @see k8s.io/apiserver/pkg/admission/plugin/cel/compile.go RequestResourceAuthorizerVarName
 */
export function strayRequest(root: PlacedNode, text: string): PlacedFault | undefined {
  const stray = nodesIn(root).find((node) => isStray(node) || (isHas(node) && nodesBelow(node).some(isRequest)))
  if (stray === undefined) return undefined
  return { at: placeOf(stray, text), why: `unexpected failed resolution of '${AUTHORIZER}'` }
}

const isHas = ({ op, args }: PlacedNode): boolean => op === 'call' && Array.isArray(args) && args[0] === 'has'

function isRequest(node: PlacedNode): boolean {
  const isField = (node.op === '.' || node.op === '.?') && Array.isArray(node.args) && node.args[1] === REQUEST
  return isField && nodesBelow(node)[0]?.checkedType?.name === AUTHORIZER
}

function isStray(node: PlacedNode): boolean {
  const [of] = nodesBelow(node)
  return isRequest(node) && (node.op === '.?' || of?.op !== 'id' || String(of.args) !== 'authorizer')
}
