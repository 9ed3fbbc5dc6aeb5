import { type Environment, Optional } from '@marcbachmann/cel-js'
import { compileRegexp } from '../../go-regexp/go-regexp.ts'
import { findFirst, withSets, withStrings } from './extensions.ts'
import { compareVersions, parseStrict, type Version } from '../../semver/version.ts'
import { own } from '../../value/own.ts'

const INT = 2 ** 31

/**
 * What the server has for texts, lists as sets, and versions.
 *
 * @see https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries
 */
export function withTexts(environment: Environment): Environment {
  return withNamedFormats(withVersions(withPatterns(withStrings(withSets(environment), 'kubernetes'))))
}

function withPatterns(environment: Environment): Environment {
  return environment
    .registerFunction('string.find(string): string', (text: string, pattern: string) => findFirst(text, pattern) ?? '')
    .registerFunction('string.findAll(string): list<string>', findAll)
    .registerFunction('string.findAll(string, int): list<string>', findAll)
}

/** What the functions of a library are called on. */
class FormatLibrary {}

function findAll(text: string, pattern: string, most = BigInt(INT)): string[] {
  const regexp = compileRegexp(pattern)
  const out: string[] = []
  for (let at = 0; at <= text.length && (most < 0n || BigInt(out.length) < most);) {
    const [from = -1, to = -1] = regexp.find(text.slice(at))?.slots ?? []
    if (from < 0) break
    out.push(text.slice(at + from, at + to))
    at += to > from ? to : to + 1
  }
  return out
}

/** A version while an expression works with it. */
class VersionValue {
  readonly version: Version
  constructor(version: Version) {
    this.version = version
  }
}

function withVersions(environment: Environment): Environment {
  const type = 'kubernetes.Semver'
  const read = (text: string, isLoose = false): VersionValue => {
    const version = parseStrict(isLoose ? normalized(text) : text)
    if (version === undefined || !is(text, isLoose))
      throw new Error(`parse error during conversion from string: ${JSON.stringify(text)}`)
    return new VersionValue(version)
  }
  const is = (text: string, isLoose = false): boolean =>
    isLoose ? parseStrict(normalized(text)) !== undefined : !text.startsWith('v') && parseStrict(text) !== undefined
  const order = (a: VersionValue, b: VersionValue): number => compareVersions(a.version, b.version)
  return environment
    .registerType(type, VersionValue)
    .registerFunction('isSemver(string): bool', (text: string) => is(text))
    .registerFunction('isSemver(string, bool): bool', is)
    .registerFunction(`semver(string): ${type}`, (text: string) => read(text))
    .registerFunction(`semver(string, bool): ${type}`, read)
    .registerFunction(`${type}.major(): int`, ({ version }: VersionValue) => version.major)
    .registerFunction(`${type}.minor(): int`, ({ version }: VersionValue) => version.minor)
    .registerFunction(`${type}.patch(): int`, ({ version }: VersionValue) => version.patch)
    .registerFunction(`${type}.compareTo(${type}): int`, (a: VersionValue, b: VersionValue) =>
      BigInt(Math.sign(order(a, b))),
    )
    .registerFunction(`${type}.isGreaterThan(${type}): bool`, (a: VersionValue, b: VersionValue) => order(a, b) > 0)
    .registerFunction(`${type}.isLessThan(${type}): bool`, (a: VersionValue, b: VersionValue) => order(a, b) < 0)
    .registerOperator(`${type} == ${type}`, (a: VersionValue, b: VersionValue) => order(a, b) === 0)
}

/** Without a leading v, with all three numbers, none with zeros before it. */
function normalized(text: string): string {
  const [, head = '', rest = ''] = /^v?([0-9.]*)(.*)$/s.exec(text) ?? []
  const parts = head.split('.').map((part) => part.replace(/^0+(?=\d)/, ''))
  return `${[...parts, '0', '0'].slice(0, Math.max(3, parts.length)).join('.')}${rest}`
}

/** Formats by name, and what fits them. @see k8s.io/apiserver/pkg/cel/library format.go */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  dns1123Label: (text) => text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text),
  dns1123Subdomain: (text) =>
    text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text),
  dns1035Label: (text) => text.length <= 63 && /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(text),
  labelValue: (text) => text.length <= 63 && /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(text),
  qualifiedName: (text) => /^([a-z0-9.-]{1,253}\/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$/.test(text),
  uri: (text) => /^([A-Za-z][A-Za-z0-9+.-]*:\S+|\/\S*)$/.test(text),
  uuid: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  byte: (text) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
  date: (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)),
  datetime: (text) => /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}/.test(text) && !Number.isNaN(Date.parse(text)),
}

/** A format while an expression works with it. */
class FormatValue {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

function withNamedFormats(environment: Environment): Environment {
  const [library, type] = ['kubernetes.formats', 'kubernetes.NamedFormat']
  environment
    .registerType(library, FormatLibrary)
    .registerType(type, FormatValue)
    .registerConstant('format', library, new FormatLibrary())
    .registerFunction(`${library}.named(string): optional<${type}>`, (_: unknown, name: string) =>
      own(FORMATS, name) === undefined ? Optional.none() : Optional.of(new FormatValue(name)),
    )
    .registerFunction(`${type}.validate(string): optional<list<string>>`, ({ name }: FormatValue, text: string) =>
      own(FORMATS, name)?.(text) === true ? Optional.none() : Optional.of([`must be a valid ${name}`]),
    )
  for (const name of Object.keys(FORMATS))
    environment.registerFunction(`${library}.${name}(): ${type}`, () => new FormatValue(name))
  return environment
}
