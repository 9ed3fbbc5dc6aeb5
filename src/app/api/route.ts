/** Who may call a route: anyone who reaches the listener (loopback), or holders of the token. */
export type Role = 'viewer' | 'deployer'

/** A route: `Request` in, `Response` out. `:name` parts of the path arrive decoded in `params`. */
export type Route = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly role: Role
  readonly handle: (req: Request, params: Readonly<Record<string, string>>) => Promise<Response> | Response
}

/** An error answer as `application/problem+json`, with our code. */
export function problem(status: number, code: string, detail: string): Response {
  return Response.json({ status, code, detail }, { status, headers: { 'content-type': 'application/problem+json' } })
}

/** Finds the route for a request's method and path, with the path's parameters. `undefined` when none fits. */
export function matchRoute(
  routes: readonly Route[],
  method: string,
  pathname: string,
): { readonly route: Route; readonly params: Readonly<Record<string, string>> } | undefined {
  for (const route of routes) {
    const params = route.method === method ? matchPath(route.path, pathname) : undefined
    if (params !== undefined) return { route, params }
  }
  return undefined
}

function matchPath(pattern: string, pathname: string): Record<string, string> | undefined {
  const want = pattern.split('/')
  const have = pathname.split('/')
  if (want.length !== have.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of want.entries()) {
    const value = have[index] ?? ''
    if (!part.startsWith(':')) {
      if (part !== value) return undefined
      continue
    }
    const decoded = decode(value)
    if (decoded === undefined || decoded === '') return undefined
    params[part.slice(1)] = decoded
  }
  return params
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
