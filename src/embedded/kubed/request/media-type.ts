const PARAMETERS = /^(?:\s*;\s*[^\s;="]+=(?:"(?:[^"\\]|\\.)*"|[^\s;="]+))*\s*(?:;\s*)?$/

/**
 * What a Content-Type says that a body is. One that cannot be read is answered as it stands, which is no type that anybody takes.
 *
 * @see https://pkg.go.dev/mime#ParseMediaType; of a patch the real server takes what stands before the parameters as it is written
 */
export function mediaTypeOf(header: string, method: string): string {
  const [type = ''] = header.split(';', 1)
  const name = type.trim()
  if (method === 'PATCH' || header === '') return name
  return name !== '' && PARAMETERS.test(header.slice(type.length)) ? name.toLowerCase() : header
}
