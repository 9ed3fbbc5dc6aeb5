/** A part of an OpenAPI v3 schema, as JSON. */
export type Schema = { [keyword: string]: unknown }

type Line = { readonly indent: number; readonly text: string }

const DURATION = '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$'
const TIMEOUT = '^([0-9]+(\\.[0-9]+)?(ms|s|m))+$'

const CONDITIONS = String.raw`
lastTransitionTime! string {"format":"date-time"}
message! string {"maxLength":32768}
observedGeneration integer {"format":"int64","minimum":0}
reason! string {"maxLength":1024,"minLength":1,"pattern":"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"}
status! string {"enum":["True","False","Unknown"]}
type! string {"maxLength":316,"pattern":"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"}
`

const ARTIFACT = String.raw`
digest string {"pattern":"^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$"}
lastUpdateTime! string {"format":"date-time"}
metadata {string}
path! string
revision string
size integer {"format":"int64"}
url! string
checksum string
`

/** Makes the schema of an object from a field table; see {@link KindTable} for the notation. */
export function schemaOf(fields: string): Schema {
  const lines = fields
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ indent: line.search(/\S/), text: line.trim() }))
  return objectOf(lines)
}

function objectOf(lines: readonly Line[]): Schema {
  const properties: Record<string, Schema> = {}
  const required: string[] = []
  for (let at = 0; at < lines.length;) {
    const line = lines[at]
    if (line === undefined) break
    let end = at + 1
    while ((lines[end]?.indent ?? -1) > line.indent) end++
    const [, name = '', mark, rest = ''] = /^(\S+?)(!?) (.*)$/.exec(line.text) ?? []
    const [field = '', description] = rest.split(' # ')
    properties[name] = {
      ...(description === undefined ? {} : { description }),
      ...fieldOf(field, lines.slice(at + 1, end)),
    }
    if (mark === '!') required.push(name)
    at = end
  }
  return { type: 'object', properties, ...(required.length > 0 ? { required } : {}) }
}

function fieldOf(text: string, below: readonly Line[]): Schema {
  const brace = text.indexOf(' {"')
  const type = brace < 0 ? text : text.slice(0, brace)
  const { each, ...limits } = (brace < 0 ? {} : JSON.parse(text.slice(brace + 1))) as Schema & { each?: Schema }
  const own = below.filter((line) => line.indent === below[0]?.indent)
  const rules = own.filter((line) => line.text.startsWith('? ')).map((line) => ruleOf(line.text.slice(2)))
  const eachRules = own.filter((line) => line.text.startsWith('?each ')).map((line) => ruleOf(line.text.slice(6)))
  const fields = below.filter((line) => !(own.includes(line) && line.text.startsWith('?')))
  const inner = { ...each, ...withRules(eachRules) }
  return { ...typeOf(type, fields, inner), ...limits, ...withRules(rules) }
}

function typeOf(type: string, fields: readonly Line[], inner: Schema): Schema {
  if (type.startsWith('[')) return { type: 'array', items: { ...typeOf(type.slice(1, -1), fields, {}), ...inner } }
  if (type.startsWith('{'))
    return { type: 'object', additionalProperties: { ...typeOf(type.slice(1, -1), fields, {}), ...inner } }
  switch (type) {
    case 'string duration':
      return { type: 'string', pattern: DURATION }
    case 'string timeout':
      return { type: 'string', pattern: TIMEOUT }
    case 'object':
      return fields.length > 0 ? objectOf(fields) : { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
    case 'any':
      return { 'x-kubernetes-preserve-unknown-fields': true }
    case 'intorstring':
      return { 'x-kubernetes-int-or-string': true }
    case '@conditions':
      return { type: 'array', items: schemaOf(CONDITIONS) }
    case '@artifact':
      return schemaOf(ARTIFACT)
    default:
      return { type }
  }
}

function withRules(rules: readonly Schema[]): Schema {
  return rules.length > 0 ? { 'x-kubernetes-validations': rules } : {}
}

function ruleOf(text: string): Schema {
  const [, rule = '""', message] = /^("(?:[^"\\]|\\.)*")(?: : ("(?:[^"\\]|\\.)*"))?/.exec(text) ?? []
  const parsed = JSON.parse(rule) as string
  return message === undefined ? { rule: parsed } : { rule: parsed, message: JSON.parse(message) as string }
}
