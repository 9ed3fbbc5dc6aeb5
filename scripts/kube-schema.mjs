// Makes src/lib/kube-schema/data/*.ts from the Kubernetes OpenAPI document and the published generated.proto files.
// usage: node scripts/kube-schema.mjs SWAGGER.json.gz PROTO_ROOT   (PROTO_ROOT holds k8s.io/{api,apimachinery,apiextensions-apiserver}@version)
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync, gunzipSync } from 'node:zlib'
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
  'io.k8s.api.authorization.v1',
  'io.k8s.api.authentication.v1',
  'io.k8s.apimachinery.pkg.apis.meta.v1',
  'io.k8s.apimachinery.pkg.api.resource',
  'io.k8s.apimachinery.pkg.util.intstr',
  'io.k8s.apimachinery.pkg.runtime',
  'io.k8s.apimachinery.pkg.version',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
]
const [swaggerPath, protoRoot] = process.argv.slice(2)
const swagger = JSON.parse(gunzipSync(readFileSync(swaggerPath)).toString('utf8'))
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
      return GROUPS.some(
        (name) =>
          (name.endsWith(`.${version}`) &&
            (group === ''
              ? name === `io.k8s.api.core.${version}`
              : name === `io.k8s.api.${group.split('.')[0]}.${version}`)) ||
          (group === 'rbac.authorization.k8s.io' && name === `io.k8s.api.rbac.${version}`) ||
          (group === 'apiextensions.k8s.io' && name.includes(`.apiextensions.${version}`)),
      )
    })
    .map(([key, entry]) => [key, { ...entry, verbs: entry.verbs.sort() }]),
)

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
const protoGroups = GROUPS.map((name) => name.replace(/^io\.k8s\./, 'k8s.io.'))
for (const module of readdirSync(protoRoot).filter((name) => /^(api|apimachinery|apiextensions-apiserver)@/.test(name)))
  for (const entry of readdirSync(join(protoRoot, module), { recursive: true }))
    if (String(entry).endsWith('generated.proto')) readProto(join(protoRoot, module, String(entry)))
const protos = {}
for (const [name, fields] of Object.entries(messages)) {
  const group = groupOf(name)
  if (protoGroups.includes(group)) (protos[group] ??= {})[name.slice(group.length + 1)] = fields
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
  'protobuf.ts',
  'Protobuf messages by package: [number, field, type, 0 single | 1 repeated | 2 map by string]; JSON, deflated, base64.',
  'PROTOBUF_CHUNKS',
  protos,
)
console.log(Object.keys(served).length, Object.keys(served).join(' '))
