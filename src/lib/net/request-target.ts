const SERVER = 'http://server'

/** The path and query that a request asks for; `undefined` for what is neither a path nor an address, as `//`. */
export function parseRequestTarget(target = '/'): URL | undefined {
  return URL.canParse(target, SERVER) ? new URL(target, SERVER) : undefined
}
