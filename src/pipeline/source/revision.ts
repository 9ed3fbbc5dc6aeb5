/** A Git revision as Flux writes it: `main@sha1:<hash>`, or `sha1:<hash>` without a name. */
export type Revision = { readonly pointer: string; readonly hash: string }

const HASH = /^[0-9a-f]{40}$|^[0-9a-f]{64}$/

/** Writes a revision: the branch or tag as written (a whole ref name when asked for by name), `@`, the commit. */
export function renderRevision(pointer: string, hash: string): string {
  const digest = `${hash.length === 64 ? 'sha256' : 'sha1'}:${hash}`
  return pointer === '' ? digest : `${pointer}@${digest}`
}

/** Reads a revision in today's form or in the old ones, `main/<hash>` and `<hash>`; the hash is '' where there is none. */
export function parseRevision(text: string): Revision {
  const at = text.lastIndexOf('@')
  const digest = at < 0 ? text : text.slice(at + 1)
  if (/^sha(1|256):/.test(digest))
    return { pointer: at < 0 ? '' : text.slice(0, at), hash: digest.slice(digest.indexOf(':') + 1) }
  const slash = text.lastIndexOf('/')
  const hash = text.slice(slash + 1)
  if (!HASH.test(hash)) return { pointer: text, hash: '' }
  const pointer = slash < 0 ? '' : text.slice(0, slash)
  return { pointer: pointer === 'HEAD' ? '' : pointer, hash }
}

/** The first line of a commit message, at most 50 characters: how Flux names a commit in its events. */
export function shortMessage(message: string): string {
  const [subject = ''] = message.split('\n')
  const characters = [...subject]
  return characters.length > 50 ? `${characters.slice(0, 50).join('')}...` : subject
}
