const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

/** Why a name is no DNS-1123 subdomain. */
export const subdomainError = (name: string): string | undefined => subdomainErrors(name)[0]

/** All reasons why a name is no DNS-1123 subdomain. */
export function subdomainErrors(name: string): readonly string[] {
  const errors = Buffer.byteLength(name) > 253 ? ['must be no more than 253 characters'] : []
  if (SUBDOMAIN.test(name)) return errors
  const why =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
  return [...errors, why]
}

/** Why a name is no DNS-1123 label. */
export const labelError = (name: string): string | undefined => labelErrors(name)[0]

/** All reasons why a name is no DNS-1123 label. */
export function labelErrors(name: string): readonly string[] {
  const errors = Buffer.byteLength(name) > 63 ? ['must be no more than 63 characters'] : []
  if (LABEL.test(name)) return errors
  const why = SUBDOMAIN.test(name)
    ? 'must not contain dots'
    : "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
  return [...errors, why]
}

/** Why a name is no DNS-1035 label. */
export function label1035Error(name: string): string | undefined {
  if (Buffer.byteLength(name) > 63) return 'must be no more than 63 characters'
  return /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name)
    ? undefined
    : "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
}

/** Why a name cannot be a part of a path. */
export function pathSegmentError(name: string): string | undefined {
  if (name === '.' || name === '..') return `may not be '${name}'`
  const bad = ['/', '%'].find((character) => name.includes(character))
  return bad === undefined ? undefined : `may not contain '${bad}'`
}

const KEY_NAME =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const WORD = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/

/** All reasons why a text is no label or annotation key, which is also what a qualified name is. */
export function labelKeyErrors(key: string): string[] {
  const parts = key.split('/')
  if (parts.length > 2)
    return [`a valid label key ${KEY_NAME} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
  const errors: string[] = []
  const name = parts.at(-1) ?? ''
  if (parts.length === 2) {
    const why = parts[0] === '' ? 'must be non-empty' : subdomainError(parts[0] ?? '')
    if (why !== undefined) errors.push(`prefix part ${why}`)
  }
  if (name === '') errors.push('name part must be non-empty')
  else if (Buffer.byteLength(name) > 63) errors.push('name part must be no more than 63 bytes')
  if (!WORD.test(name)) errors.push(`name part ${KEY_NAME}`)
  return errors
}

/** All reasons why a text is no label value. */
export function labelValueErrors(value: string): string[] {
  const errors: string[] = []
  if (Buffer.byteLength(value) > 63) errors.push('must be no more than 63 bytes')
  if (value !== '' && !WORD.test(value))
    errors.push(
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    )
  return errors
}

/** All reasons why a text is no key of a ConfigMap or Secret. */
export function dataKeyErrors(key: string): string[] {
  const errors: string[] = []
  if (Buffer.byteLength(key) > 253) errors.push('must be no more than 253 characters')
  if (!/^[-._a-zA-Z0-9]+$/.test(key))
    errors.push(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    )
  if (key === '.' || key === '..') errors.push(`must not be '${key}'`)
  else if (key.startsWith('..')) errors.push("must not start with '..'")
  return errors
}

/** Finalizers without a domain that a Kubernetes API server knows. */
const FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion']

/** True of a finalizer that has a domain, or is one of those that the server itself knows. */
export const isKnownFinalizer = (name: string): boolean => name.includes('/') || FINALIZERS.includes(name)
