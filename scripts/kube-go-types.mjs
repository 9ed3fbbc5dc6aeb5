// Makes src/lib/kube-schema/data/go-types.ts from the Go sources of Kubernetes: what its messages tell of types.
// usage: node scripts/kube-go-types.mjs MODULES   (MODULES holds k8s.io's {kubernetes,api,apimachinery,apiextensions-apiserver}@version)
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'

const [modules] = process.argv.slice(2)
const at = (name) => {
  const found = readdirSync(modules)
    .filter((each) => each.startsWith(`${name}@v`))
    .sort((a, b) => a.localeCompare(b, undefined, { numeric: true }))
    .at(-1)
  return join(modules, found)
}
/** Group to the versions whose JSON names its fields have, the best first. */
const GROUPS = {
  core: ['v1'],
  apps: ['v1'],
  batch: ['v1'],
  autoscaling: ['v2', 'v1'],
  networking: ['v1'],
  policy: ['v1'],
  rbac: ['v1'],
  discovery: ['v1'],
  storage: ['v1'],
  scheduling: ['v1'],
  coordination: ['v1'],
  certificates: ['v1'],
  node: ['v1'],
}
const ZERO_STRUCTS = { 'metav1.LabelSelector': 'x', 'metav1.ObjectMeta': 'x' }

function structsIn(text) {
  const out = {}
  for (const [, name, body] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) out[name] = fieldsIn(body)
  return out
}

function fieldsIn(body) {
  const fields = []
  for (const line of body.replace(/\/\*[\s\S]*?\*\//g, '').split('\n')) {
    const bare = line.replace(/\/\/.*$/, '').trim()
    const tag = /`json:"([^",]*)(,[^"]*)?"/.exec(line)
    const text = bare.replace(/`[^`]*`/, '').trim()
    const embedded = /^\*?([\w.]+)$/.exec(text)
    const named = /^((?:\w+, )*\w+)\s+(\S.*)$/.exec(text)
    if (embedded) fields.push({ go: '', type: text, tag })
    else if (named) for (const go of named[1].split(', ')) fields.push({ go, type: named[2].trim(), tag })
  }
  return fields
}

const lowerFirst = (name) => name.replace(/^[A-Z]+(?=[A-Z][a-z])|^[A-Z]+$|^[A-Z]/, (start) => start.toLowerCase())

const out = {}
for (const [group, versions] of Object.entries(GROUPS)) {
  const text = ['types.go']
    .map((file) => join(at('kubernetes'), 'pkg/apis', group, file))
    .filter(existsSync)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
  const structs = structsIn(text)
  const named = Object.fromEntries(
    [...text.matchAll(/^type (\w+) ([^s{\n][^{\n]*|string)$/gm)].map(([, name, type]) => [name, type.trim()]),
  )
  const jsonOf = {}
  for (const version of versions) {
    const served = structsIn(readFileSync(join(at('api'), group, version, 'types.go'), 'utf8'))
    for (const [name, fields] of Object.entries(served))
      for (const { go, tag } of fields) if (tag) (jsonOf[name] ??= {})[go] ??= tag[1]
  }
  const codeOf = (type) => {
    if (type in ZERO_STRUCTS) return [ZERO_STRUCTS[type]]
    if (/^(\w+\.)?(ResourceList)$/.test(type)) return ['p']
    if (/^\[\]byte$/.test(type)) return ['p']
    if (type.startsWith('[]')) {
      const item = type.slice(2)
      return structs[item]
        ? ['L', item]
        : item.startsWith('core.') || item.startsWith('api.')
          ? ['L', item.replace(/^\w+\./, 'core/')]
          : ['p']
    }
    if (type.startsWith('map[')) {
      const item = type.slice(type.indexOf(']') + 1)
      return structs[item] ? ['M', item] : ['p']
    }
    if (type.startsWith('*')) {
      const [code, name] = codeOf(type.slice(1))
      return code === 'S' ? ['P', name] : ['p']
    }
    if (structs[type]) return ['S', type]
    if (/^(api|core)\./.test(type)) {
      const name = type.replace(/^\w+\./, '')
      if (out[`core/${name}`]) return ['S', `core/${name}`]
      return ['s']
    }
    if (type === 'bool') return ['b']
    if (/^u?int(\d+)?$|^float/.test(type)) return ['n']
    if (type === 'resource.Quantity') return ['q']
    if (type === 'intstr.IntOrString') return ['n']
    if (/^metav1\.|^runtime\./.test(type)) return ['p']
    if (type === 'string' || /^types\./.test(type)) return ['s']
    if (named[type] !== undefined && named[type] !== type) return codeOf(named[type])
    return ['s']
  }
  for (const [name, fields] of Object.entries(structs)) {
    if (/List$/.test(name)) continue
    out[`${group}/${name}`] = fields.map(({ go, type, tag }) => {
      if (go === '') {
        if (/TypeMeta$|ListMeta$/.test(type)) return ['', '', 'T']
        if (/ObjectMeta$/.test(type)) return ['', 'metadata', 'O']
        const bare = type.replace(/^\*/, '')
        return ['', '', 'E', /\./.test(bare) ? bare.replace(/^\w+\./, 'core/') : `${group}/${bare}`]
      }
      const [code, below] = codeOf(type)
      const json = jsonOf[name]?.[go] ?? lowerFirst(go)
      return [tag?.[1] || go, json, code, ...(below ? [below.includes('/') ? below : `${group}/${below}`] : [])]
    })
  }
}

/** Types of served fields that the OpenAPI document does not tell: named strings, maps, bytes. */
const served = {}
const embedded = {}
const order = {}
const coreStructs = structsIn(readFileSync(join(at('api'), 'core/v1/types.go'), 'utf8'))
const SERVED = Object.entries({ ...GROUPS, authentication: ['v1'], authorization: ['v1'], events: ['v1'] }).flatMap(
  ([group, versions]) => versions.map((version) => [join(at('api'), group, version), `io.k8s.api.${group}.${version}`]),
)
for (const [folder, name] of [
  ...SERVED,
  [join(at('apimachinery'), 'pkg/apis/meta/v1'), 'io.k8s.apimachinery.pkg.apis.meta.v1'],
  [
    join(at('apiextensions-apiserver'), 'pkg/apis/apiextensions/v1'),
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  ],
]) {
  const text = readFileSync(join(folder, 'types.go'), 'utf8')
  const structs = structsIn(text)
  const version = name.slice(name.lastIndexOf('.') + 1)
  const inPackage = (type) =>
    type
      .replace(/^\*/, '')
      .replace(/\bbyte\b/g, 'uint8')
      .replace(/\b(metav1|corev1)\.(?=\w)/g, 'v1.')
      .replace(/(?<![\w.])[A-Z]\w*/g, (named) => `${version}.${named}`)
  // Go's decoder names structs that stand in others without a name, too.
  const inline = (kind, prefix) =>
    (structs[kind] ?? []).flatMap(({ go, type, tag }) =>
      go === '' && type !== 'metav1.TypeMeta' && (!tag || tag[1] === '')
        ? inline(type, `${prefix}${type}.`)
        : tag && prefix !== ''
          ? [[tag[1], prefix]]
          : [],
    )
  const ordered = (kind) =>
    (structs[kind] ?? []).flatMap(({ go, type, tag }) =>
      go === '' && (!tag || tag[1] === '')
        ? /TypeMeta$/.test(type)
          ? ['kind', 'apiVersion']
          : ordered(type)
        : tag && tag[1] !== '-'
          ? [tag[1]]
          : [],
    )
  for (const kind of Object.keys(structs)) {
    const fields = ordered(kind)
    if (fields.length > 1) (order[name] ??= {})[kind] = fields.join(' ')
    const found = Object.fromEntries(inline(kind, ''))
    if (Object.keys(found).length > 0) (embedded[name] ??= {})[kind] = found
  }
  for (const [kind, fields] of Object.entries(structs))
    for (const { type, tag } of fields) {
      const bare = type.replace(/^(\*|\[\])*/, '')
      const ofCore = /^(?:core)?v1\.(\w+)$/.exec(bare)?.[1]
      const isStruct =
        structs[bare] !== undefined ||
        /^(metav1|resource|intstr|runtime)\./.test(bare) ||
        (ofCore !== undefined && coreStructs[ofCore] !== undefined)
      const isPlain = /^(string|bool|u?int(32|64)|float64|Time|MicroTime|FieldsV1)$/.test(bare)
      if (
        !tag ||
        tag[1] === '' ||
        tag[1] === '-' ||
        ((isStruct || isPlain) && !/ResourceList|ResourceName|Protocol/.test(bare))
      )
        continue
      ;((served[name] ??= {})[kind] ??= {})[tag[1]] = inPackage(type)
    }
}
const pack = (value) => deflateRawSync(JSON.stringify(value), { level: 9 }).toString('base64')
writeFileSync(
  'src/lib/kube-schema/data/go-types.ts',
  `// Generated by scripts/kube-go-types.mjs from the Go sources of Kubernetes (Apache-2.0). Do not edit.
/** Fields of the API server's own types, which some messages print: JSON, deflated, base64. */
export const INTERNAL_TYPES =
  '${pack(out)}'
/** Go types of served fields that the OpenAPI document does not tell: the same. */
export const SERVED_TYPES =
  '${pack(served)}'
/** The fields of served structs in Go's order: the same. */
export const FIELD_ORDER =
  '${pack(order)}'
/** Structs in which fields stand that JSON has one floor higher: the same. */
export const EMBEDDED_STRUCTS =
  '${pack(embedded)}'
`,
)
console.log(Object.keys(out).length, 'types')
