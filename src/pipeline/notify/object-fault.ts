/**
 * What Go says of an answer that should be a JSON object and is none, by its first character; undefined when it may be one.
 *
 * @param type the name of what it is read into
 */
export function objectFault(text: string, type: string): string | undefined {
  const first = text.trimStart()[0] ?? ''
  if (first === '{' || text.trimStart().startsWith('null')) return undefined
  if (first === '') return 'unexpected end of JSON input'
  const kind =
    { '[': 'array', '"': 'string', t: 'bool', f: 'bool' }[first] ?? (/[-\d]/.test(first) ? 'number' : undefined)
  if (kind === undefined) return `invalid character '${first}' looking for beginning of value`
  return `json: cannot unmarshal ${kind} into Go value of type ${type}`
}
