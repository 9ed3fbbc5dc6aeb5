import type { Receiver } from '../../kinds/receiver.ts'
import { type Cel, compileCel } from '../../lib/cel/compile.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { mediaTypeOf } from '../../lib/net/media-type.ts'
import { parseJson } from './proof.ts'
import { headerOf, type HookCall } from './request.ts'

/** Whether a hook is meant for an object. */
export type ResourceFilter = (object: KubeObject) => boolean

/** What the expressions see besides the object. */
export type FilterInput = {
  readonly call: HookCall
  /** Of the token of a `generic-oidc` receiver. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly guard?: (run: () => unknown) => unknown
}

/**
 * Makes the filter of each resource: the Receiver's own and the resource's, both must agree. undefined: every object.
 *
 * @throws SluiceError CEL_INVALID, and BODY_INVALID when the body says that it is JSON and is not
 */
export function resourceFilters(receiver: Receiver, input: FilterInput): readonly (ResourceFilter | undefined)[] {
  const texts = receiver.resources.map(({ filter }) => [receiver.resourceFilter, filter].filter((text) => text !== ''))
  if (texts.every((list) => list.length === 0)) return receiver.resources.map(() => undefined)
  const { claims, guard } = input
  const variables = { req: requestBody(input.call), ...(claims === undefined ? {} : { claims }) }
  const options = guard === undefined ? {} : { guard }
  const compile = (text: string): Cel => compileFilter(text, claims !== undefined, options)
  return texts.map((list) => {
    const expressions = list.map(compile)
    if (expressions.length === 0) return undefined
    return ({ apiVersion, kind, metadata }) =>
      expressions.every((cel) => cel.evaluateBoolean({ ...variables, res: { apiVersion, kind, metadata } }))
  })
}

/** Compiles a filter: over `res` and `req`, and `claims` where there are some. */
export function compileFilter(
  text: string,
  hasClaims: boolean,
  options: { readonly guard?: (run: () => unknown) => unknown } = {},
): Cel {
  return compileCel(text, { ...options, variables: ['res', 'req', ...(hasClaims ? ['claims'] : [])], output: 'bool' })
}

/** Only a body that says that it is JSON is looked into, as in Flux. */
function requestBody(call: HookCall): unknown {
  if (!saysJson(headerOf(call, 'content-type'))) return {}
  const parsed = parseJson(call.body)
  if (parsed && typeof parsed.value === 'object' && !Array.isArray(parsed.value)) return parsed.value ?? {}
  throw new SluiceError('BODY_INVALID', 'failed to parse request body as JSON')
}

/** Of several types none counts that stands behind one that cannot be read. */
function saysJson(contentType: string): boolean {
  const types = contentType.split(',').map(mediaTypeOf)
  const at = types.indexOf('application/json')
  return at >= 0 && !types.slice(0, at).includes(undefined)
}
