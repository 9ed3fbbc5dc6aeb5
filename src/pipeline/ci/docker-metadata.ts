/** What the tags of an image are made from. */
export type MetadataInput = {
  readonly images: readonly string[]
  /** Rules as `docker/metadata-action` reads them: `type=semver,pattern={{version}}`. */
  readonly rules: readonly string[]
  readonly flavor: readonly string[]
  readonly ref: string
  readonly commit: string
  readonly pull: number | undefined
  readonly repositoryUrl: string
  readonly title: string
}

/** What `docker/metadata-action` answers. */
export type Metadata = {
  readonly version: string
  readonly tags: readonly string[]
  readonly labels: readonly string[]
}

const DEFAULT_RULES = ['type=ref,event=branch', 'type=ref,event=tag', 'type=ref,event=pr']

/**
 * Makes tags and labels from rules: `ref`, `semver`, `sha`, `raw`, with `prefix`, `suffix`, `enable`; `schedule` never fits here.
 *
 * @returns the fault in words when a rule is of another type
 * @see https://github.com/docker/metadata-action#tags-input
 */
export function renderMetadata(input: MetadataInput): Metadata | string {
  const rules = (input.rules.length > 0 ? input.rules : DEFAULT_RULES).map(parseFields)
  const names: string[] = []
  for (const rule of rules) {
    const name = tagOf(rule, input)
    if (typeof name === 'object') return name.fault
    if (name !== undefined && rule['enable'] !== 'false')
      names.push(clean(`${rule['prefix'] ?? ''}${name}${rule['suffix'] ?? ''}`))
  }
  const flavor = Object.assign({}, ...input.flavor.map(parseFields)) as Record<string, string>
  const release = /^refs\/tags\/v?\d+\.\d+\.\d+$/.test(input.ref) && rules.some(({ type }) => type === 'semver')
  if (flavor['latest'] === 'true' || (release && flavor['latest'] !== 'false')) names.push('latest')
  const unique = [...new Set(names)]
  const version = unique[0] ?? ''
  return {
    version,
    tags: input.images.flatMap((image) => unique.map((name) => `${image}:${name}`)),
    labels: [
      `org.opencontainers.image.revision=${input.commit}`,
      `org.opencontainers.image.source=${input.repositoryUrl}`,
      `org.opencontainers.image.title=${input.title}`,
      `org.opencontainers.image.version=${version}`,
    ],
  }
}

function tagOf(
  rule: Readonly<Record<string, string>>,
  input: MetadataInput,
): string | undefined | { readonly fault: string } {
  const { ref, pull } = input
  const tag = /^refs\/tags\/(.+)$/.exec(ref)?.[1]
  switch (rule['type'] ?? 'raw') {
    case 'raw':
      return rule['value'] ?? ''
    case 'sha':
      return `${rule['prefix'] === undefined ? 'sha-' : ''}${rule['format'] === 'long' ? input.commit : input.commit.slice(0, 7)}`
    case 'schedule':
      return undefined
    case 'ref':
      if (rule['event'] === 'pr')
        return pull === undefined ? undefined : `${rule['prefix'] === undefined ? 'pr-' : ''}${pull}`
      if (rule['event'] === 'tag') return tag
      return /^refs\/heads\/(.+)$/.exec(ref)?.[1]
    case 'semver':
      return semverTag(rule['value'] ?? tag, rule['pattern'] ?? '{{version}}')
    default:
      return { fault: `the tag rule "type=${rule['type'] ?? ''}" is not supported: use ref, semver, sha or raw` }
  }
}

function semverTag(text: string | undefined, pattern: string): string | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?(?:\+.*)?$/.exec(text ?? '')
  if (!match) return undefined
  const [, major = '', minor = '', patch = '', pre = ''] = match
  const version = `${major}.${minor}.${patch}${pre}`
  if (pre !== '' && pattern !== '{{raw}}') return version
  const values: Record<string, string> = { raw: text ?? '', version, major, minor, patch }
  return pattern.replace(/\{\{\s*(\w+)\s*\}\}/g, (_all, name: string) => values[name] ?? '')
}

function parseFields(rule: string): Record<string, string> {
  const fields = rule.split(',').map((part) => part.trim())
  return Object.fromEntries(
    fields.map((part) =>
      part.includes('=') ? [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] : ['value', part],
    ),
  )
}

function clean(tag: string): string {
  return tag
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 128)
}
