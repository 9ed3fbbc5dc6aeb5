import type { JsonObject } from '../../../lib/kube/json.ts'
import { type FieldError, invalid } from '../fault.ts'

/** How a write is to be carried out, from the query of its request. */
export type WriteOptions = {
  readonly manager: string
  readonly dryRun: boolean
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict'
}

const KINDS: Readonly<Record<string, string>> = {
  POST: 'CreateOptions',
  PUT: 'UpdateOptions',
  PATCH: 'PatchOptions',
}
const MAX_MANAGER_BYTES = 128

/**
 * Reads and checks the options of a write; those of a DELETE are its own.
 *
 * @throws Fault 422 with every fault
 * @see k8s.io/apimachinery/pkg/apis/meta/v1/validation
 */
export function readWriteOptions(
  method: string,
  query: URLSearchParams,
  contentType: string,
  userAgent: string,
): WriteOptions {
  const kind = KINDS[method]
  const named = query.get('fieldManager') ?? ''
  const validation = query.get('fieldValidation') ?? ''
  const errors =
    kind === undefined
      ? []
      : [
          ...(kind === 'PatchOptions' ? patchFaults(query, contentType, named) : []),
          ...managerFaults(named),
          ...dryRunFaults(query.getAll('dryRun')),
          ...validationFaults(validation),
        ]
  if (kind !== undefined && errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors)
  return {
    manager: named !== '' ? named : (userAgent.split('/')[0] ?? '').slice(0, MAX_MANAGER_BYTES) || 'unknown',
    dryRun: query.has('dryRun'),
    fieldValidation: validation === 'Ignore' || validation === 'Strict' ? validation : 'Warn',
  }
}

/** The options of a write as they were said, without what only says how a patch is carried out. */
export function saidOptions({ query }: { readonly query: URLSearchParams }): JsonObject {
  const dryRun = query.getAll('dryRun')
  const texts = ['fieldManager', 'fieldValidation'].flatMap((name) => {
    const value = query.get(name) ?? ''
    return value === '' ? [] : [[name, value] as const]
  })
  return { ...(dryRun.length > 0 && { dryRun }), ...Object.fromEntries(texts) }
}

function patchFaults(query: URLSearchParams, contentType: string, manager: string): FieldError[] {
  const isApply = contentType === 'application/apply-patch+yaml'
  if (isApply && manager === '')
    return [{ field: 'fieldManager', type: 'Required', message: 'Required value: is required for apply patch' }]
  if (!isApply && query.has('force'))
    return [{ field: 'force', type: 'Forbidden', message: 'Forbidden: may not be specified for non-apply patch' }]
  return []
}

function managerFaults(manager: string): FieldError[] {
  const field = 'fieldManager'
  if (Buffer.byteLength(manager) > MAX_MANAGER_BYTES)
    return [{ field, type: 'TooLong', message: `Too long: may not be more than ${MAX_MANAGER_BYTES} bytes` }]
  if (PRINTABLE.test(manager)) return []
  const at = [...manager].findIndex((sign) => !PRINTABLE.test(sign))
  const bad = [...manager][at] ?? ''
  const code = (bad.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  const message = `Invalid value: ${goQuoted(manager)}: invalid character U+${code} (at position ${at})`
  return [{ field, type: 'Invalid', message }]
}

const GO_ESCAPES: Readonly<Record<string, string>> = { '\\u0007': '\\a', '\\u000b': '\\v' }

/** Text as Go quotes it with %q, which has a sign for two more. */
const goQuoted = (text: string): string =>
  JSON.stringify(text).replace(/\\u00[01][0-9a-f]/g, (escape) => GO_ESCAPES[escape] ?? `\\x${escape.slice(-2)}`)

/** As Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the plain space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u

/** What is wrong with the values of `dryRun`. */
export function dryRunFaults(values: readonly string[]): FieldError[] {
  if (values.every((value) => value === 'All')) return []
  const shown = `[${values.map((value) => JSON.stringify(value)).join(',')}]`
  return [{ field: 'dryRun', type: 'NotSupported', message: `Unsupported value: ${shown}: supported values: "All"` }]
}

function validationFaults(value: string): FieldError[] {
  if (/^(|Ignore|Warn|Strict)$/.test(value)) return []
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: "", "Ignore", "Strict", "Warn"`
  return [{ field: 'fieldValidation', type: 'NotSupported', message }]
}
