const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const TYPE = new RegExp(`^${TOKEN}(?:/${TOKEN})?$`)
const PARAMETER = new RegExp(`^\\s*;\\s*(${TOKEN})\\s*=\\s*(?:(${TOKEN})|"((?:[^"\\\\\\r\\n]|\\\\[^\\r\\n])*)")`)

/**
 * The type of a `Content-Type`, in lower case; undefined where Go's `mime.ParseMediaType` takes no such text, for its parameters, too.
 *
 * @see https://pkg.go.dev/mime#ParseMediaType
 */
export function mediaTypeOf(text: string): string | undefined {
  const end = text.indexOf(';')
  const type = (end < 0 ? text : text.slice(0, end)).trim().toLowerCase()
  if (!TYPE.test(type)) return undefined
  const parameters = new Map<string, string>()
  let rest = end < 0 ? '' : text.slice(end)
  while (rest.trim() !== '' && rest.trim() !== ';') {
    const [whole = '', name = '', plain, quoted = ''] = PARAMETER.exec(rest) ?? []
    const value = plain ?? quoted
    const known = parameters.get(name.toLowerCase())
    if (whole === '' || (known !== undefined && known !== value)) return undefined
    parameters.set(name.toLowerCase(), value)
    rest = rest.slice(whole.length)
  }
  return type
}
