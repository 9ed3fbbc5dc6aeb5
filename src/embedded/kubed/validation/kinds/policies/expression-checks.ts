import { type CelScope, checkCel, goType } from '../../../../../lib/cel/compile.ts'
import { AUTHORIZER } from '../../../../../lib/cel/kubernetes/authz.ts'
import { structsAsMaps } from '../../../../../lib/cel/struct-literals.ts'
import { SluiceError } from '../../../../../lib/error/sluice-error.ts'
import { type JsonObject, objectsOf, stringOf } from '../../../../../lib/kube/json.ts'
import type { FieldError } from '../../../fault.ts'
import { invalidValue, required } from '../../fault-list.ts'
import { policyExpression } from '../../policy-expression.ts'

/** What an expression may speak of, and what it must answer; anything where `wanted` is empty. */
export type Asked = { readonly scope: CelScope; readonly wanted: readonly string[] }

/** @see k8s.io/apiserver/pkg/admission/plugin/cel/compile.go BuildRequestType */
const REQUEST: CelScope['structs'] = {
  Kind: { group: 'string', version: 'string', kind: 'string' },
  Resource: { group: 'string', version: 'string', resource: 'string' },
  UserInfo: { username: 'string', uid: 'string', groups: 'list<string>', extra: 'map<string, list<string>>' },
  AdmissionRequest: {
    ...{ kind: 'Kind', requestKind: 'Kind', resource: 'Resource', requestResource: 'Resource' },
    ...{ subResource: 'string', requestSubResource: 'string', name: 'string', namespace: 'string' },
    ...{ operation: 'string', userInfo: 'UserInfo', dryRun: 'bool', options: 'dyn' },
  },
}

/** The names that the expressions of a policy know; `variables` are none for conditions, which come before them. */
export function scopeOf(spec: JsonObject, variables: Readonly<Record<string, string>> | undefined): CelScope {
  const named = ['object', 'oldObject', 'namespaceObject', ...(spec.paramKind === undefined ? [] : ['params'])]
  return {
    variables: {
      ...Object.fromEntries(named.map((name) => [name, 'dyn'])),
      request: 'AdmissionRequest',
      authorizer: AUTHORIZER,
      ...(variables === undefined ? {} : { variables: 'Variables' }),
    },
    structs: { ...REQUEST, ...(variables === undefined ? {} : { Variables: variables }) },
    shape: { most: 0 },
  }
}

/** The names that the text of a refusal knows: it says nothing of what else somebody may do. */
export function scopeOfMessages(scope: CelScope): CelScope {
  const { authorizer: _authorizer, ...variables } = scope.variables
  return { ...scope, variables }
}

/** The variables that a policy declares, each of the type that its expression has as far as it is known. */
export function declaredBefore(spec: JsonObject, end: number): Readonly<Record<string, string>> {
  const declared: Record<string, string> = {}
  for (const { name: written, expression } of objectsOf(spec.variables).slice(0, end)) {
    const name = stringOf(written)
    if (/^[A-Za-z_]\w*$/.test(name)) declared[name] = typeOfVariable(stringOf(expression), scopeOf(spec, declared))
  }
  return declared
}

/** @see k8s.io/apiserver/pkg/admission/plugin/cel/composition.go convertCelTypeToDeclType */
function typeOfVariable(text: string, scope: CelScope): string {
  try {
    const { type } = checkCel(text, scope)
    return KNOWN_TYPE.test(type) ? type : 'dyn'
  } catch (error) {
    compilationFailed(error)
    return 'dyn'
  }
}

/** Types that a variable hands on, and lists and maps of them. */
const KNOWN_TYPE = /^(?:(?:list<|map<string, )*(?:bool|bytes|double|int|string|uint|dyn)>*)$/

/** Adds the fault of an expression that cannot be compiled, names what is not there or answers something else. */
export function checkExpression(
  text: string,
  path: string,
  errors: FieldError[],
  asked: Asked,
  missing?: string,
): void {
  if (text.trim() === '') return required(errors, path, missing)
  const why = compileFault(text) ?? typeFault(text, asked)
  if (why !== undefined) invalidValue(errors, path, text, why)
}

function compileFault(text: string): string | undefined {
  try {
    policyExpression(text)
    return undefined
  } catch (error) {
    return compilationFailed(error)
  }
}

function compilationFailed(error: unknown): string {
  if (!(error instanceof SluiceError)) throw error
  return `compilation failed: ${error.message.slice(Math.max(error.message.indexOf('ERROR: '), 0))}`
}

/** Only what is certain: what no value can mend, and an answer whose type is known. */
function typeFault(text: string, { scope, wanted }: Asked): string | undefined {
  const plain = structsAsMaps(text)
  try {
    const { type, isRead } = checkCel(plain, scope)
    const isFit = wanted.length === 0 || (type === 'dyn' && !isRead) || wanted.some((each) => isOf(type, each))
    if (isFit) return undefined
    const one = wanted.length === 1 ? wanted[0] : `one of [${wanted.join(' ')}]`
    return `must evaluate to ${one} but got ${goType(type)}`
  } catch (error) {
    const why = compilationFailed(error)
    return plain === text && CERTAIN.some((each) => each.test(why)) ? why : undefined
  }
}

const KNOWN = String.raw`(?:bool|bytes|double|int|null|string|uint|kubernetes\.authorization\.\w+)`
/** What is wrong whatever is there: a name that nobody knows, and a call with values of which all types are known. */
const CERTAIN = [
  /^compilation failed: ERROR: \S+ (?:undeclared reference to|undefined field|unexpected failed resolution of) '/,
  new RegExp(String.raw`: found no matching overload for '\S+' applied to '(?:${KNOWN}\.)?\((?:${KNOWN}(?:, )?)*\)'`),
  new RegExp(String.raw`: found no matching overload for '_\?_:_' applied to '\(dyn, ${KNOWN}, ${KNOWN}\)'`),
]

/** Struct literals are checked as maps. */
function isOf(type: string, wanted: string): boolean {
  if (wanted === 'Object') return type.startsWith('map')
  if (wanted === 'list(JSONPatch)') return type.startsWith('list')
  return goType(type) === wanted
}
