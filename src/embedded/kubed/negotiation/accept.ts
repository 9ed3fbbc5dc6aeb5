import { hasProtobuf } from '../../../lib/kube-typed/protobuf/encode.ts'
import { own } from '../../../lib/value/own.ts'
import { Fault } from '../fault.ts'
import { apiVersionOf, EPHEMERAL, RESIZE, type Resource } from '../resources/resource.ts'

/** What an answer is written in. */
export type ContentType = 'application/json' | 'application/yaml' | 'application/vnd.kubernetes.protobuf'

const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const TEXTS: readonly ContentType[] = ['application/json', 'application/yaml']
const SERVED: readonly ContentType[] = [...TEXTS, PROTOBUF]

/** The form of an answer. */
export type Form = {
  readonly kind: 'object' | 'table' | 'metadata' | 'metadata-list'
  readonly contentType: ContentType
  /** The meta.k8s.io version of tables and metadata. */
  readonly version: string
}

/** One media type of an Accept header. */
type MediaType = { readonly type: string; readonly parameters: ReadonlyMap<string, string>; readonly q: number }

/** Clients name a handful: each more is compared with all others, before it is known who asks. */
const MOST_RANGES = 64

/**
 * Media types in the order in which the client wants them; of a longer list the first {@link MOST_RANGES} count.
 *
 * @see https://github.com/munnerz/goautoneg (what is more particular comes first whatever its weight, if it stands behind what is less)
 */
export function parseAccept(header: string): MediaType[] {
  const out: MediaType[] = []
  for (const part of header.split(',', MOST_RANGES)) {
    const [range = '', ...rest] = part.split(';')
    const [main = '', sub, ...more] = range.split('/').map((each) => each.trim())
    if (more.length > 0 || (!sub && main !== '*')) continue
    const parameters = new Map(
      rest.flatMap((each) => {
        const [name = '', value = '', ...others] = each.split('=')
        return value === '' || others.length > 0 ? [] : [[name.trim(), value.trim()] as const]
      }),
    )
    const q = Number(parameters.get('q') ?? '1') || 0
    const type: MediaType = { type: `${main}/${sub || '*'}`, parameters, q }
    out.splice(out.findLastIndex((other) => !comesBefore(type, other)) + 1, 0, type)
  }
  return out
}

function comesBefore(a: MediaType, b: MediaType): boolean {
  if (a.q > b.q) return true
  return ['*/', '/*'].some((any) => b.type.includes(any) && !a.type.includes(any))
}

/** What a client asks to be made of an object: a kind of a group and a version. */
type Transform = { readonly kind: string | undefined; readonly group: string; readonly version: string }

/** The first media type that is served and allowed. @param allows `as` is undefined where an object is asked for as it is */
export function negotiate<Type extends string>(
  header: string,
  served: readonly Type[],
  allows: (contentType: Type, as: Transform | undefined) => boolean,
): { readonly contentType: Type; readonly as: Transform | undefined } | undefined {
  for (const { type, parameters } of parseAccept(header)) {
    const [kind, group, version] = ['as', 'g', 'v'].map((name) => parameters.get(name))
    const isPlain = kind === undefined && group === undefined && version === undefined
    const as = isPlain ? undefined : { kind, group: group ?? '', version: version ?? '' }
    const contentType = served.find((each) => fits(type, each) && isStreamServed(each, parameters) && allows(each, as))
    if (contentType !== undefined) return { contentType, as }
  }
  return undefined
}

const fits = (type: string, served: string): boolean =>
  type === served || type === '*/*' || type === `${served.split('/')[0]}/*`

/** Watches are the only streams, which YAML has none of, and there is no version of a server to ask for. */
const isStreamServed = (contentType: string, parameters: ReadonlyMap<string, string>): boolean =>
  !parameters.has('sv') &&
  (!parameters.has('stream') || (parameters.get('stream') === 'watch' && contentType !== 'application/yaml'))

const OBJECT: Form = { kind: 'object', contentType: 'application/json', version: 'v1' }
const KINDS: Readonly<Record<string, Form['kind']>> = {
  Table: 'table',
  PartialObjectMetadata: 'metadata',
  PartialObjectMetadataList: 'metadata-list',
}

/** What a kind has forms of. */
type Forms = {
  /** What its objects are written in as they are. */
  readonly plain: readonly ContentType[]
  readonly hasTables: boolean
  /** Clients send the same few headers again and again. */
  readonly known: Map<string, Form>
}

const ALL: Forms = { plain: SERVED, hasTables: true, known: new Map() }
/** Custom resources have no form in protobuf, but their metadata does. */
const CUSTOM: Forms = { plain: TEXTS, hasTables: true, known: new Map() }
/** What is answered and not kept. */
const ANSWERS: Forms = { plain: SERVED, hasTables: false, known: new Map() }
const MOST_KNOWN = 64

/** Subresources that answer what is not kept, or that nobody wrote tables for. */
const WITHOUT_TABLES = new Set(['binding', 'eviction', 'token', EPHEMERAL, RESIZE])

const hasTables = ({ verbs, kind, custom }: Resource, subresource: string): boolean =>
  verbs.includes('get') &&
  !WITHOUT_TABLES.has(subresource) &&
  !(kind === 'CustomResourceDefinition' && custom === undefined && subresource === 'status')

/** The form in which the client accepts what a kind answers. @throws Fault 406 when there is none */
export function formFor(header: string, resource: Resource, subresource: string): Form {
  if (header === '' || header === 'application/json') return OBJECT
  const isText =
    header.includes(PROTOBUF) && (resource.custom !== undefined || !hasProtobuf(apiVersionOf(resource), resource.kind))
  return find(header, isText ? CUSTOM : hasTables(resource, subresource) ? ALL : ANSWERS)
}

function find(header: string, forms: Forms): Form {
  let form = forms.known.get(header)
  if (form !== undefined) return form
  form = readForm(header, forms)
  if (forms.known.size < MOST_KNOWN) forms.known.set(header, form)
  return form
}

function readForm(header: string, { plain, hasTables }: Forms): Form {
  const kindOf = (contentType: ContentType, as: Transform | undefined): Form['kind'] | undefined => {
    if (as === undefined) return plain.includes(contentType) ? 'object' : undefined
    if (as.group !== 'meta.k8s.io' || (as.version !== 'v1' && as.version !== 'v1beta1')) return undefined
    const kind = own(KINDS, as.kind ?? '')
    return kind === 'table' && (contentType === PROTOBUF || !hasTables) ? undefined : kind
  }
  const found = negotiate(header, SERVED, (contentType, as) => kindOf(contentType, as) !== undefined)
  const kind = found && kindOf(found.contentType, found.as)
  if (kind === undefined) throw notAcceptable()
  return { kind, contentType: found?.contentType ?? 'application/json', version: found?.as?.version ?? 'v1' }
}

/** What failures and documents are told in, which have no other form than their own; undefined where nothing fits. */
export function plainTypeOf(header: string): ContentType | undefined {
  if (header === '' || header === 'application/json') return 'application/json'
  return negotiate(header, SERVED, (_type, as) => as === undefined)?.contentType
}

/** What the aggregated form of discovery is asked for in; undefined when it is not asked for. */
export function aggregatedTypeOf(header: string): ContentType | undefined {
  const isAggregated = (as: Transform | undefined): boolean =>
    as?.kind === 'APIGroupDiscoveryList' && as.group === 'apidiscovery.k8s.io' && as.version === 'v2'
  return header === '' ? undefined : negotiate(header, SERVED, (_type, as) => isAggregated(as))?.contentType
}

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
