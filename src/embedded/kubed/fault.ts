import type { JsonObject } from '../../lib/kube/json.ts'
import { goQuote } from '../../lib/value/go-quote.ts'

/** One fault of a field, as the API names it. */
export type Cause = { readonly reason?: string; readonly message: string; readonly field?: string }

type Details = {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly Cause[]
  readonly retryAfterSeconds?: number
}

/** An answer that is a failure: becomes a `Status` object with its HTTP code. */
export class Fault extends Error {
  readonly code: number
  readonly reason: string
  readonly details: Details | undefined
  readonly metadata: JsonObject

  constructor(code: number, reason: string, message: string, details?: Details, metadata: JsonObject = {}) {
    super(message)
    this.code = code
    this.reason = reason
    this.details = details
    this.metadata = metadata
  }
}

/** What names a kind of object in messages. */
export type Naming = { readonly group: string; readonly kind: string; readonly plural: string }

const qualified = (group: string, name: string): string => (group === '' ? name : `${name}.${group}`)

/** 404 for one object. */
export function notFound({ group, plural }: Naming, name: string): Fault {
  return new Fault(404, 'NotFound', `${qualified(group, plural)} ${goQuote(name)} not found`, {
    name,
    ...(group === '' ? {} : { group }),
    kind: plural,
  })
}

/** 409 on create. */
export function alreadyExists({ group, plural }: Naming, name: string): Fault {
  return new Fault(409, 'AlreadyExists', `${qualified(group, plural)} ${goQuote(name)} already exists`, {
    name,
    ...(group === '' ? {} : { group }),
    kind: plural,
  })
}

/** 409 on a write that came too late or to the wrong object. */
export function conflict({ group, plural }: Naming, name: string, why: string): Fault {
  return new Fault(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(group, plural)} ${goQuote(name)}: ${why}`,
    { name, ...(group === '' ? {} : { group }), kind: plural },
  )
}

/** The text of {@link conflict} when a resourceVersion is old. */
export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again'

/** 403. */
export function forbidden({ group, plural }: Naming, name: string, why: string, causes?: readonly Cause[]): Fault {
  return new Fault(
    403,
    'Forbidden',
    `${qualified(group, plural)}${name === '' ? '' : ` ${goQuote(name)}`} is forbidden: ${why}`,
    {
      ...(name === '' ? {} : { name }),
      ...(group === '' ? {} : { group }),
      kind: plural,
      ...(causes === undefined ? {} : { causes }),
    },
  )
}

/** 400. */
export function badRequest(message: string): Fault {
  return new Fault(400, 'BadRequest', message)
}

/** A field that validation refuses: `type` is the API's reason without its prefix, which `InternalError` does not have. */
export type FieldError = {
  readonly field: string
  readonly type:
    | 'Invalid'
    | 'Required'
    | 'NotSupported'
    | 'Duplicate'
    | 'Forbidden'
    | 'TooLong'
    | 'TooMany'
    | 'TypeInvalid'
    | 'NotFound'
    | 'InternalError'
  readonly message: string
}

/** 422 with all faults of the fields, each once. */
export function invalid(
  { group, kind }: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): Fault {
  const byText = new Map(errors.map((error) => [`${error.field}: ${error.message}`, error]))
  const texts = [...byText.keys()]
  const told = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`
  return new Fault(422, 'Invalid', `${qualified(group, kind)} ${goQuote(name)} is invalid: ${told}`, {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    ...(kind === '' ? {} : { kind }),
    causes: [...byText.values()].map(({ field, type, message }) => ({ reason: reasonOf(type), message, field })),
  })
}

const reasonOf = (type: FieldError['type']): string => (type === 'InternalError' ? type : `FieldValue${type}`)

/** 404 for a path that no kind has. */
export function unknownResource(): Fault {
  return new Fault(404, 'NotFound', 'the server could not find the requested resource', {})
}

/** 405. */
export function methodNotAllowed(): Fault {
  return new Fault(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
}

/** The `Status` object of a failure. */
export function statusOf(fault: Fault): JsonObject {
  const { details } = fault
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: fault.metadata,
    status: 'Failure',
    message: fault.message,
    reason: fault.reason === '' ? undefined : fault.reason,
    details: details === undefined ? undefined : { ...details, causes: details.causes?.map((cause) => ({ ...cause })) },
    code: fault.code,
  }
}

/** For a body that does not say the name that its address says. */
export const otherName = (said: string, name: string): Fault =>
  badRequest(`the name of the object (${said}) does not match the name on the URL (${name})`)

/** For a body that says no name. */
export const unnamed = (name: string): Fault =>
  badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)

/** For a body that says another namespace than its address. */
export const otherNamespace = (): Fault =>
  badRequest('the namespace of the provided object does not match the namespace sent on the request')
