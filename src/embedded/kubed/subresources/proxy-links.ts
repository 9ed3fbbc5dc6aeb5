/** Attributes of HTML that hold addresses. @see k8s.io/apimachinery/pkg/util/proxy/transport.go */
const ATTRIBUTES = 'action|cite|codebase|data|formaction|href|icon|longdesc|manifest|poster|profile|src|usemap'
const LINK = new RegExp(`(<[a-z][^<>]{0,2000}?\\s(?:${ATTRIBUTES})\\s*=\\s*)(["'])(/(?!/)[^"'<>]*)\\2`, 'gi')

/** Moves links of a page that begin at the root of its host below `prefix`. */
export function rewriteLinks(page: string, prefix: string): string {
  return page.replace(
    LINK,
    (_all, before: string, quote: string, path: string) => before + quote + prefix + path + quote,
  )
}
