/** What a 401 asks for. */
export type Challenge =
  | { readonly scheme: 'basic'; readonly realm: string }
  | {
      readonly scheme: 'bearer'
      readonly realm: string
      readonly service: string | undefined
      readonly scope: string | undefined
    }

/** Reads a WWW-Authenticate header; Bearer wins over Basic when both are offered. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined) return undefined
  const starts = [...header.matchAll(/(?:^|,\s*)(basic|bearer)\s+(?=[a-z_]+=)/gi)]
  const found = starts.map((start, index) => {
    const from = start.index + start[0].length
    return readChallenge(start[1] ?? '', header.slice(from, starts[index + 1]?.index))
  })
  return found.find((each) => each?.scheme === 'bearer') ?? found.find((each) => each !== undefined)
}

function readChallenge(scheme: string, text: string): Challenge | undefined {
  const fields = new Map<string, string>()
  for (const [, key = '', quoted, plain] of text.matchAll(/([a-z_]+)=(?:"([^"]*)"|([^\s,"]*))/gi))
    fields.set(key.toLowerCase(), quoted ?? plain ?? '')
  const realm = fields.get('realm') ?? ''
  if (scheme.toLowerCase() === 'basic') return { scheme: 'basic', realm }
  if (realm === '') return undefined
  return { scheme: 'bearer', realm, service: fields.get('service'), scope: fields.get('scope') }
}
