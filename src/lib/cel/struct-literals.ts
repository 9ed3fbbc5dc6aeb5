import { SluiceError } from '../error/sluice-error.ts'
import { own } from '../value/own.ts'

/** An open bracket; of a struct also its type and the field that is being written. */
type Open = { readonly closer: string; readonly type: string | undefined; field: string }

const TOKEN =
  /\s+|\/\/[^\n]*|[rRbB]{0,2}(?:"""[^]*?"""|'''[^]*?'''|"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*')|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|[^]/y
const CLOSERS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/**
 * Writes the struct literals of an expression as maps: `Object.spec{replicas: 3}` becomes `{"replicas": 3}`.
 *
 * Kubernetes has two types of its own in expressions that change objects: `Object`, named by the path of its fields, and `JSONPatch`.
 * @throws SluiceError CEL_INVALID (retry: spec) for a type that does not stand where its name says
 */
export function structsAsMaps(text: string): string {
  const open: Open[] = []
  let out = ''
  for (const { token, rest } of tokensOf(text)) {
    const top = open.at(-1)
    const closer = own(CLOSERS, token)
    if (/^[A-Za-z_][\w.]*$/.test(token)) {
      if (/^\s*\{/.test(rest) && isType(token)) {
        checkPlace(token, open)
        open.push({ closer: '{', type: token, field: '' })
        continue
      }
      if (top?.type !== undefined && top.closer === '}' && top.field === '' && /^\s*:/.test(rest)) {
        top.field = token
        out += JSON.stringify(token)
        continue
      }
    }
    if (top?.closer === '{' && token === '{') open[open.length - 1] = { ...top, closer: '}' }
    else if (closer !== undefined) open.push({ closer, type: undefined, field: '' })
    else if (token === top?.closer) open.pop()
    else if (token === ',' && top !== undefined) top.field = ''
    out += token
  }
  return out
}

function* tokensOf(text: string): Generator<{ token: string; rest: string }> {
  let at = 0
  while (at < text.length) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(text)?.[0] ?? text[at] ?? ''
    at += token.length
    yield { token, rest: text.slice(at, at + 64) }
  }
}

const isType = (name: string): boolean => name === 'JSONPatch' || name === 'Object' || name.startsWith('Object.')

/** Below an object, a type is named by the field that holds it. */
function checkPlace(type: string, open: readonly Open[]): void {
  const holder = open.findLast((each) => each.type !== undefined)
  if (holder?.type === undefined || !holder.type.startsWith('Object')) return
  const wanted = `${holder.type}.${holder.field}`
  if (type === wanted) return
  throw new SluiceError(
    'CEL_INVALID',
    `type mismatch: unexpected type name ${JSON.stringify(type)}, expected ${JSON.stringify(wanted)}, which matches field name path from root Object type`,
  )
}
