import { Fault } from '../fault.ts'

/** The form of an answer. */
export type Form = {
  readonly kind: 'object' | 'table' | 'metadata' | 'metadata-list'
  readonly contentType: 'application/json' | 'application/yaml'
  /** The meta.k8s.io version of tables and metadata. */
  readonly version: string
}

/** One media type of an Accept header. */
export type MediaType = { readonly type: string; readonly parameters: ReadonlyMap<string, string> }

/** Media types in the order in which the client wants them. */
export function parseAccept(header: string): MediaType[] {
  const out: { type: string; parameters: Map<string, string>; q: number }[] = []
  for (const part of header.split(',')) {
    const [type = '', ...rest] = part.trim().split(';')
    const parameters = new Map(
      rest.flatMap((each) => {
        const [name = '', value = '', ...more] = each.split('=')
        return value === '' || more.length > 0 ? [] : [[name.trim(), value.trim()] as const]
      }),
    )
    if (type !== '') out.push({ type: type.trim().toLowerCase(), parameters, q: Number(parameters.get('q') ?? '1') })
  }
  return out.sort((a, b) => b.q - a.q)
}

const OBJECT: Form = { kind: 'object', contentType: 'application/json', version: 'v1' }
const KINDS: Readonly<Record<string, Form['kind']>> = {
  Table: 'table',
  PartialObjectMetadata: 'metadata',
  PartialObjectMetadataList: 'metadata-list',
}

/** The form that the client accepts. @throws Fault 406 when there is none */
export function formOf(header: string): Form {
  if (header === '') return OBJECT
  let form = known.get(header)
  if (form !== undefined) return form
  form = readForm(header)
  if (known.size < MOST_KNOWN) known.set(header, form)
  return form
}

/** Clients send the same few headers again and again. */
const known = new Map<string, Form>([['application/json', OBJECT]])
const MOST_KNOWN = 64

function readForm(header: string): Form {
  for (const { type, parameters } of parseAccept(header)) {
    const contentType =
      type === '*/*' || type === 'application/*' || type === 'application/json'
        ? 'application/json'
        : type === 'application/yaml'
          ? 'application/yaml'
          : undefined
    if (contentType === undefined || !isStreamServed(parameters)) continue
    const [wanted, group, version = ''] = ['as', 'g', 'v'].map((name) => parameters.get(name))
    if (wanted === undefined && group === undefined && version === '') return { ...OBJECT, contentType }
    const kind = KINDS[wanted ?? '']
    if (kind !== undefined && group === 'meta.k8s.io' && (version === 'v1' || version === 'v1beta1'))
      return { kind, contentType, version }
  }
  throw notAcceptable()
}

/** Watches are the only streams, and there is no version of a server to ask for. */
const isStreamServed = (parameters: ReadonlyMap<string, string>): boolean =>
  (parameters.get('stream') ?? 'watch') === 'watch' && !parameters.has('sv')

const SERVED = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']

/** What routes of lists serve, which may be watches. */
export const SERVED_BY_LISTS = [
  ...SERVED,
  'application/json;stream=watch',
  'application/vnd.kubernetes.protobuf;stream=watch',
]

/**
 * Refuses a client that takes no media type of a route, which is told before anything else; what `as` asks for comes later.
 *
 * @throws Fault 406
 */
export function checkAccept(header: string, served: readonly string[] = SERVED): void {
  if (header === '' || header === 'application/json') return
  const types = header.split(',').map((each) => each.split(';')[0]?.trim() ?? '')
  if (types.some((type) => type === '*/*' || served.includes(type))) return
  const all = served.join(', ')
  throw new Fault(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${all}`, {})
}

/** 406 for a form that the kind does not have. */
export function notAcceptable(): Fault {
  return new Fault(406, 'NotAcceptable', `only the following media types are accepted: ${SERVED.join(', ')}`)
}
