// Makes src/lib/kube-schema/data/{schemas,descriptions,resources,parameters,protobuf}.ts from Kubernetes' OpenAPI document, generated.proto files and Go types.
// usage: node scripts/kube-schema.mjs MODULES   (MODULES holds k8s.io's kubernetes@v1.x.y and the {api,apimachinery,apiextensions-apiserver,kube-aggregator}@v0.x.y of that release)
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import prettier from 'prettier'

const OUT = 'src/lib/kube-schema/data'
const GROUPS = [
  'io.k8s.api.core.v1',
  'io.k8s.api.apps.v1',
  'io.k8s.api.batch.v1',
  'io.k8s.api.autoscaling.v1',
  'io.k8s.api.autoscaling.v2',
  'io.k8s.api.networking.v1',
  'io.k8s.api.policy.v1',
  'io.k8s.api.rbac.v1',
  'io.k8s.api.discovery.v1',
  'io.k8s.api.coordination.v1',
  'io.k8s.api.events.v1',
  'io.k8s.api.storage.v1',
  'io.k8s.api.scheduling.v1',
  // only what Jobs refer to
  'io.k8s.api.scheduling.v1alpha3',
  'io.k8s.api.authorization.v1',
  'io.k8s.api.authentication.v1',
  'io.k8s.api.admissionregistration.v1',
  'io.k8s.api.certificates.v1',
  'io.k8s.api.flowcontrol.v1',
  'io.k8s.api.node.v1',
  'io.k8s.api.resource.v1',
  'io.k8s.api.storagemigration.v1',
  'io.k8s.apimachinery.pkg.apis.meta.v1',
  'io.k8s.apimachinery.pkg.api.resource',
  'io.k8s.apimachinery.pkg.util.intstr',
  'io.k8s.apimachinery.pkg.runtime',
  'io.k8s.apimachinery.pkg.version',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1',
]
const SERVED_GROUPS = GROUPS.filter((name) => !name.endsWith('.v1alpha3'))
const [modules] = process.argv.slice(2)
/** Of several releases the newest: a mixture of two would be nobody's. */
const release = readdirSync(modules)
  .filter((name) => name.startsWith('kubernetes@v1.'))
  .sort((a, b) => a.localeCompare(b, undefined, { numeric: true }))
  .at(-1)
  .slice('kubernetes@v1.'.length)
const MODULES = ['api', 'apiextensions-apiserver', 'apimachinery', 'kube-aggregator']
const rootOf = (module) => join(modules, `${module}@v0.${release}`)
const swagger = JSON.parse(
  readFileSync(join(modules, `kubernetes@v1.${release}`, 'api/openapi-spec/swagger.json'), 'utf8'),
)
const groupOf = (name) => name.slice(0, name.lastIndexOf('.'))
const pack = (value) => deflateRawSync(JSON.stringify(value), { level: 9 }).toString('base64')

const schemas = {}
const descriptions = {}
for (const [name, definition] of Object.entries(swagger.definitions)) {
  const group = groupOf(name)
  if (!GROUPS.includes(group)) continue
  const said = { '': definition.description }
  const text = (schema) => {
    if (schema === null || typeof schema !== 'object') return schema
    if (Array.isArray(schema)) return schema.map(text)
    return Object.fromEntries(
      Object.entries(schema).flatMap(([key, value]) =>
        key === 'description' && typeof value === 'string' ? [] : [[key, text(value)]],
      ),
    )
  }
  for (const [field, schema] of Object.entries(definition.properties ?? {})) said[field] = schema.description
  const bare = text({ ...definition, properties: undefined })
  if (definition.properties)
    bare.properties = Object.fromEntries(
      Object.entries(definition.properties).map(([key, value]) => [key, text(value)]),
    )
  ;(schemas[group] ??= {})[name.slice(group.length + 1)] = bare
  ;(descriptions[group] ??= {})[name.slice(group.length + 1)] = said
}

const resources = {}
for (const [path, item] of Object.entries(swagger.paths)) {
  const match =
    /^\/(?:api|apis\/([^/]+))\/(v[^/]+)\/(namespaces\/\{namespace\}\/)?([^/{]+)(?:\/\{name\}(?:\/([^/{]+))?)?$/.exec(
      path,
    )
  if (!match) continue
  const [, group = '', version, inNamespace, plural, sub] = match
  if (plural === 'watch' || path.includes('/watch/')) continue
  for (const method of ['get', 'put', 'post', 'patch', 'delete']) {
    const operation = item[method]
    const gvk = operation?.['x-kubernetes-group-version-kind']
    if (!gvk) continue
    const key = `${group}/${version}/${plural}${sub ? `/${sub}` : ''}`
    const entry = (resources[key] ??= {
      kind: gvk.kind,
      group: gvk.group,
      version: gvk.version,
      namespaced: false,
      verbs: [],
    })
    if (inNamespace) entry.namespaced = true
    const action = operation['x-kubernetes-action']
    const verb = { post: 'create', put: 'update' }[action] ?? action
    if (
      ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update'].includes(verb) &&
      !entry.verbs.includes(verb)
    )
      entry.verbs.push(verb)
    if (verb === 'list' && !entry.verbs.includes('watch')) entry.verbs.push('watch')
  }
}
const served = Object.fromEntries(
  Object.entries(resources)
    .filter(([key]) => {
      const [group, version] = key.split('/')
      return SERVED_GROUPS.some(
        (name) =>
          (name.endsWith(`.${version}`) &&
            (group === ''
              ? name === `io.k8s.api.core.${version}`
              : name === `io.k8s.api.${group.split('.')[0]}.${version}`)) ||
          (group === 'rbac.authorization.k8s.io' && name === `io.k8s.api.rbac.${version}`) ||
          (group === 'apiextensions.k8s.io' && name.includes(`.apiextensions.${version}`)) ||
          (group === 'apiregistration.k8s.io' && name.includes(`.apiregistration.${version}`)),
      )
    })
    .map(([key, entry]) => [key, { ...entry, verbs: entry.verbs.sort() }]),
)

// Query parameters by action: [name, type, description]. All kinds have the same; where they are of a path, its one action has them.
const parameters = {}
const resolved = ({ $ref, ...own }) => ($ref ? swagger.parameters[$ref.split('/').at(-1)] : own)
for (const [path, { parameters: shared = [], ...operations }] of Object.entries(swagger.paths))
  for (const operation of Object.values(operations)) {
    const action = operation['x-kubernetes-action']
    if (!action || !/\/\{namespace\}\/configmaps/.test(path) || path.includes('/watch/')) continue
    parameters[action] = (operation.parameters ?? [])
      .map(resolved)
      .filter((each) => each.in === 'query')
      .map(({ name, type, description }) => [name, type, description])
    parameters.all = shared
      .map(resolved)
      .filter((each) => each.in === 'query')
      .map(({ name, type, description }) => [name, type, description])
  }

const messages = {}
function readProto(file) {
  const text = readFileSync(file, 'utf8')
  const pkg = /^package ([\w.]+);/m.exec(text)[1]
  let message
  for (const line of text.split('\n')) {
    const opened = /^message (\w+)/.exec(line)
    if (opened) {
      message = messages[`${pkg}.${opened[1]}`] = []
      continue
    }
    if (/^}/.test(line)) message = undefined
    if (!message) continue
    const map = /^\s*map<(\w+), ([\w.]+)> (\w+) = (\d+);/.exec(line)
    const field = /^\s*(optional|repeated|required) ([\w.]+) (\w+) = (\d+);/.exec(line)
    const full = (type) =>
      /^(bool|string|bytes|double|float|s?u?int(32|64)|s?fixed(32|64))$/.test(type)
        ? type
        : type.startsWith('.')
          ? type.slice(1)
          : type.includes('.')
            ? type
            : `${pkg}.${type}`
    if (map) message.push([Number(map[4]), map[3], full(map[2]), 2])
    else if (field) message.push([Number(field[4]), field[3], full(field[2]), field[1] === 'repeated' ? 1 : 0])
  }
}
// messages without a definition: lists of metadata have another layout in the older version
const MESSAGES_ONLY = ['io.k8s.apimachinery.pkg.apis.meta.v1beta1', 'io.k8s.api.apidiscovery.v2']
const protoGroups = [...GROUPS, ...MESSAGES_ONLY].map((name) =>
  name.replace(/^io\.k8s\./, 'k8s.io.').replaceAll('-', '_'),
)
for (const root of MODULES.map(rootOf))
  for (const entry of readdirSync(root, { recursive: true }))
    if (entry.endsWith('generated.proto')) readProto(join(root, entry))
// What only the Go structs tell of a field: its name in JSON, and whether it is a pointer (written when it is there) or
// embedded (its fields stand in its parent's JSON).
const goTags = {}
for (const module of MODULES)
  for (const entry of readdirSync(rootOf(module), { recursive: true }))
    if (/(^|\/)(types\w*|group_version)\.go$/.test(entry))
      readTags(
        `k8s.io.${module.replaceAll('-', '_')}.${dirname(entry).replaceAll('/', '.')}`,
        join(rootOf(module), entry),
      )
function readTags(pkg, file) {
  let struct
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const opened = /^type (\w+) struct \{/.exec(line)
    if (opened) struct = goTags[`${pkg}.${opened[1]}`] = {}
    else if (/^}/.test(line)) struct = undefined
    const field = /^\s+(?:(\w+)\s+)?(\S+)\s+`(?=(?:.*json:"([^",]*))?)(?=.*protobuf:"\w+,(\d+),).*`/.exec(line)
    if (struct && field) struct[field[4]] = { type: field[2], json: field[3], embedded: !field[1] && field[3] === '' }
  }
}
const SHAPES = { single: 0, repeated: 1, map: 2, pointer: 3, embedded: 4 }
function shaped(message, [number, name, type, shape]) {
  const { type: goType = '', json = '', embedded = false } = goTags[message]?.[number] ?? {}
  // lists and bytes without content are not there either
  const pointer = goType.startsWith('*') || type === 'bytes' || /Verbs$/.test(goType)
  return [
    number,
    /^-?$/.test(json) ? name[0].toLowerCase() + name.slice(1) : json,
    type,
    shape !== SHAPES.single ? shape : embedded ? SHAPES.embedded : pointer ? SHAPES.pointer : SHAPES.single,
  ]
}
const protos = {}
for (const [name, fields] of Object.entries(messages)) {
  const group = groupOf(name)
  if (protoGroups.includes(group))
    (protos[group] ??= {})[name.slice(group.length + 1)] = fields
      .map((field) => shaped(name, field))
      .sort((a, b) => a[0] - b[0])
}

// How Go writes each field: Z left out when zero, S a struct that is always there, V always there (zero or null when unset), N a pointer that is always there (null when unset).
const GO_PACKAGES = {
  'io.k8s.apimachinery.pkg.apis.meta.v1': ['apimachinery', 'pkg/apis/meta/v1'],
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': ['apiextensions-apiserver', 'pkg/apis/apiextensions/v1'],
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1': ['kube-aggregator', 'pkg/apis/apiregistration/v1'],
}
const structs = new Map()
const aliases = new Map()
for (const group of GROUPS) {
  const isApi = group.startsWith('io.k8s.api.')
  const found = isApi ? ['api', group.slice('io.k8s.api.'.length).replaceAll('.', '/')] : GO_PACKAGES[group]
  if (found === undefined) continue
  const [module, folder] = found
  const root = join(rootOf(module), folder)
  for (const file of readdirSync(root).filter((name) => /^types.*\.go$/.test(name)))
    readGo(group, readFileSync(join(root, file), 'utf8'))
}
function readGo(group, text) {
  let fields
  for (const line of text.split('\n')) {
    const opened = /^type (\w+) struct \{/.exec(line)
    const alias = /^type (\w+) (\S+)$/.exec(line)
    if (opened) structs.set(`${group}.${opened[1]}`, (fields = []))
    else if (alias) aliases.set(`${group}.${alias[1]}`, alias[2])
    else if (/^}/.test(line)) fields = undefined
    const field =
      /^\s+(?:(\w+)\s+)?([*\[\]\w.]+(?:map\[[\w.]+\][*\[\]\w.]+)?)\s+`(?:protobuf:"[^"]*" )?json:"([^"]*)"/.exec(line)
    if (fields && field) fields.push({ type: field[2], tag: field[3].split(',') })
  }
}
function kindOfGo(group, type) {
  if (type.startsWith('*')) return 'pointer'
  if (type.startsWith('[]') || type.startsWith('map[')) return 'collection'
  if (/^(string|bool|u?int\d*|float\d+)$/.test(type)) return 'scalar'
  if (/^(metav1\.)?(Time|MicroTime)$/.test(type)) return 'time'
  if (/IntOrString|Quantity|RawExtension|FieldsV1|^JSON/.test(type)) return 'own'
  const full = type.startsWith('metav1.')
    ? `io.k8s.apimachinery.pkg.apis.meta.v1.${type.slice(7)}`
    : type.includes('.')
      ? `io.k8s.api.core.v1.${type.split('.')[1]}`
      : `${group}.${type}`
  if (type === 'types.UID' || type === 'types.NodeName') return 'scalar'
  const alias = aliases.get(full)
  return alias ? kindOfGo(group, alias) : 'struct'
}
function goFields(group, name) {
  const out = { Z: [], S: [], V: [], N: [] }
  for (const { type, tag } of structs.get(`${group}.${name}`) ?? []) {
    const [field, ...options] = tag
    if (options.includes('inline')) {
      const full = type.replace('*', '')
      const inner = full.includes('.') ? undefined : goFields(group, full)
      for (const key of Object.keys(out)) out[key].push(...(inner?.[key] ?? []))
      continue
    }
    const kind = kindOfGo(group, type)
    if (options.includes('omitzero')) {
      if (kind === 'struct' || kind === 'scalar') out.Z.push(field)
      continue
    }
    const omits = options.includes('omitempty')
    if (kind === 'scalar') out[omits ? 'Z' : 'V'].push(field)
    else if (kind === 'struct') out.S.push(field)
    else if (kind === 'pointer' && !omits) out.N.push(field)
    else if (kind === 'collection' && !omits) out.V.push(field)
    else if (kind === 'time') out.V.push(field)
  }
  return out
}
for (const [group, definitions] of Object.entries(schemas))
  for (const [name, definition] of Object.entries(definitions)) {
    const go = goFields(group, name)
    const kept = Object.fromEntries(
      Object.entries(go)
        .filter(([, list]) => list.length > 0)
        .map(([key, list]) => [key, list.filter((field) => definition.properties?.[field])]),
    )
    if (Object.keys(kept).length > 0) definition['x-go'] = kept
  }

async function write(file, doc, name, chunks) {
  const body = Object.entries(chunks)
    .map(([key, value]) => `  '${key}': '${pack(value)}',`)
    .join('\n')
  const text = `// Generated by scripts/kube-schema.mjs from the Kubernetes OpenAPI document and protobuf definitions (Apache-2.0). Do not edit.\n/** ${doc} */\nexport const ${name}: Readonly<Record<string, string>> = {\n${body}\n}\n`
  const config = (await prettier.resolveConfig(`${OUT}/${file}`)) ?? {}
  writeFileSync(`${OUT}/${file}`, await prettier.format(text, { ...config, parser: 'typescript' }))
  console.log(file, text.length)
}
await write(
  'schemas.ts',
  'Definitions by package, without descriptions: JSON, deflated, base64.',
  'SCHEMA_CHUNKS',
  schemas,
)
await write(
  'descriptions.ts',
  "Descriptions by package, definition and field ('' for the definition): JSON, deflated, base64. For kubectl explain.",
  'DESCRIPTION_CHUNKS',
  descriptions,
)
await write(
  'resources.ts',
  'Served resources and subresources by group/version/plural: JSON, deflated, base64.',
  'RESOURCE_CHUNK',
  { all: served },
)
await write(
  'parameters.ts',
  'Query parameters by action (`all`: what every path takes), [name, type, description]: JSON, deflated, base64.',
  'PARAMETER_CHUNK',
  { all: parameters },
)
await write(
  'protobuf.ts',
  'Protobuf messages by package: [number, name in JSON, type, 0 always written | 1 repeated | 2 map by string | 3 written when there | 4 embedded], by number; JSON, deflated, base64.',
  'PROTOBUF_CHUNKS',
  protos,
)
console.log(Object.keys(served).length, Object.keys(served).join(' '))
