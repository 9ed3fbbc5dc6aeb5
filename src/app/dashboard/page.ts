import { createHash } from 'node:crypto'
import type { Route } from '../api/route.ts'
import html from './page.html'

/** The page itself. Its one inline script is allowed by hash; nothing else may run. */
export const pageRoute: Route = {
  method: 'GET',
  path: '/',
  role: 'viewer',
  handle: () => new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8' } }),
}

/** base64 SHA-256 of the page's script, for its content security policy. */
export const PAGE_SCRIPT_HASH = createHash('sha256').update(scriptOf(html)).digest('base64')

function scriptOf(page: string): string {
  return page.slice(page.indexOf('<script>') + '<script>'.length, page.lastIndexOf('</script>'))
}
