import { isRecord } from '../../lib/value/is-record.ts'

/** A setter marker as written: `# {"$imagepolicy": "namespace:policy[:tag|:name|:digest]"}`. */
export type Marker = {
  readonly namespace: string
  readonly policy: string
  readonly part: 'ref' | 'tag' | 'name' | 'digest'
}

/** What every marker holds; files without it are not looked at. */
export const MARKER_KEY = '$imagepolicy'

/** Reads the text of a comment (without `#`); the answer is a marker, or what is wrong with it. Flux takes fields of text alone. */
export function parseMarker(comment: string): Marker | string {
  let value: unknown
  try {
    value = JSON.parse(comment.trim())
  } catch {
    return 'the marker is not JSON: write # {"$imagepolicy": "namespace:policy"}'
  }
  const fields = isRecord(value) ? value : {}
  const setter = fields[MARKER_KEY]
  if (typeof setter !== 'string') return 'the marker has no text under "$imagepolicy"'
  const other = Object.entries(fields).find(([, field]) => typeof field !== 'string' && field !== null)
  if (other) return `the marker has a field "${other[0]}" that is no text, and so is none: leave it out`
  const [namespace = '', policy = '', part = 'ref', ...more] = setter.split(':')
  if (namespace === '' || policy === '') return `"${setter}" names no policy: write "namespace:policy"`
  const known =
    part === 'tag' || part === 'name' || part === 'digest' || (part === 'ref' && setter.split(':').length === 2)
  if (!known || more.length > 0) return `"${setter}" ends in none of :tag, :name, :digest`
  return { namespace, policy, part }
}

/** The marker's own text, as change reports name it. */
export function renderMarker({ namespace, policy, part }: Marker): string {
  return part === 'ref' ? `${namespace}:${policy}` : `${namespace}:${policy}:${part}`
}
