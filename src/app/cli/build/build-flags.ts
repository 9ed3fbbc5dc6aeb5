import type { BuildOptions } from '../../../lib/kustomize/build.ts'
import { diskHelm, type HelmOptions } from '../../../adapters/kustomize/helm.ts'
import type { Compat } from '../../../lib/kustomize/compat.ts'
import { parseGoFlags, type GoArguments, type GoFlag } from './go-flags.ts'

/** What `sluice build` was asked for. */
export type BuildFlags = {
  /** The folder as it was named; `.` when none was. */
  readonly dir: string
  /** A file, or a folder that gets a file for each object. */
  readonly output: string | undefined
  readonly options: BuildOptions
  /** Whether the built objects are looked at, too (`--check=false` leaves that out). */
  readonly checksObjects: boolean
  readonly mode: 'once' | 'watch' | 'batch'
  /** Notes on the command line for standard error, as the original words them. */
  readonly notes: readonly string[]
}

/** A command line that was not understood, in kustomize's words. */
export type FlagProblem = { readonly problem: string; readonly notes: readonly string[] }

const FLAGS: Readonly<Record<string, GoFlag>> = {
  output: { kind: 'text', short: 'o' },
  'load-restrictor': { kind: 'text' },
  reorder: { kind: 'text' },
  'enable-managedby-label': { kind: 'bool' },
  'enable-helm': { kind: 'bool' },
  'helm-command': { kind: 'text' },
  'helm-api-versions': { kind: 'list' },
  'helm-kube-version': { kind: 'text' },
  'helm-debug': { kind: 'bool' },
  // Of use to functions in containers only, which a build refuses by name where a kustomization asks for one.
  'enable-alpha-plugins': { kind: 'bool' },
  'enable-exec': { kind: 'bool' },
  network: { kind: 'bool' },
  'network-name': { kind: 'text' },
  mount: { kind: 'list' },
  env: { kind: 'list', short: 'e' },
  'as-current-user': { kind: 'bool' },
  'stack-trace': { kind: 'bool' },
  // Ours.
  compat: { kind: 'text' },
  origin: { kind: 'bool' },
  check: { kind: 'bool' },
  watch: { kind: 'bool' },
  batch: { kind: 'bool' },
}

const RESTRICTORS = new Map<string, BuildOptions['loadRestrictions']>([
  ['LoadRestrictionsRootOnly', 'rootOnly'],
  ['LoadRestrictionsNone', 'none'],
])

const COMPATS: readonly Compat[] = ['5.5', '5.8.1', '5.8.2']

/**
 * Reads the flags of `kustomize build`, and `--origin`, `--check`, `--watch` and `--batch`, which are ours.
 *
 * @param env `KUSTOMIZE_ENABLE_MANAGEDBY_LABEL=on` is read as kustomize reads it
 */
export function parseBuildFlags(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): BuildFlags | FlagProblem {
  const given = parseGoFlags(argv, FLAGS)
  if (typeof given === 'string') return { problem: given, notes: [] }
  const { texts, bools, words } = given
  const notes = deprecations(texts, bools)
  const restrictor = texts.get('load-restrictor') ?? 'LoadRestrictionsRootOnly'
  const loadRestrictions = RESTRICTORS.get(restrictor)
  const reorder = texts.get('reorder') ?? 'legacy'
  const isBatch = bools.get('batch') === true
  const isWatch = bools.get('watch') === true
  if (words.length > 1) return { problem: 'specify one path to kustomization.yaml', notes }
  if (loadRestrictions === undefined)
    return { problem: illegalValue('load-restrictor', restrictor, [...RESTRICTORS.keys()]), notes }
  if (reorder !== 'legacy' && reorder !== 'none')
    return { problem: illegalValue('reorder', reorder, ['legacy', 'none']), notes }
  const compat = COMPATS.find((one) => one === (texts.get('compat') ?? '5.8.1'))
  if (compat === undefined) return { problem: illegalValue('compat', texts.get('compat') ?? '', COMPATS), notes }
  if (isBatch && (isWatch || words.length > 0))
    return { problem: '--batch reads its folders from standard input', notes }
  const managedByLabel =
    bools.get('enable-managedby-label') === true || env['KUSTOMIZE_ENABLE_MANAGEDBY_LABEL'] === 'on'
  return {
    dir: words[0] ?? '.',
    output: texts.get('output') || undefined,
    options: {
      loadRestrictions,
      reorder,
      managedByLabel,
      compat,
      origin: bools.get('origin') === true,
      // As kustomize has it, plug-ins switch helm on, too.
      ...(bools.get('enable-helm') === true || bools.get('enable-alpha-plugins') === true
        ? { helm: diskHelm(helmOptions(given)) }
        : {}),
    },
    checksObjects: bools.get('check') !== false,
    mode: isBatch ? 'batch' : isWatch ? 'watch' : 'once',
    notes,
  }
}

function helmOptions({ texts, bools, lists }: GoArguments): HelmOptions {
  const kubeVersion = texts.get('helm-kube-version')
  const apiVersions = lists.get('helm-api-versions')
  return {
    command: texts.get('helm-command') ?? 'helm',
    debug: bools.get('helm-debug') === true,
    ...(kubeVersion ? { kubeVersion } : {}),
    ...(apiVersions ? { apiVersions } : {}),
  }
}

function illegalValue(flag: string, value: string, legal: readonly string[]): string {
  return `illegal flag value --${flag} ${value}; legal values: [${legal.join(' ')}]`
}

function deprecations(texts: ReadonlyMap<string, string>, bools: ReadonlyMap<string, boolean>): string[] {
  const notes: string[] = []
  if (texts.has('reorder'))
    notes.push("Flag --reorder has been deprecated, use the new 'sortOptions' field in kustomization.yaml instead.")
  if (bools.has('enable-managedby-label'))
    notes.push(
      'Flag --enable-managedby-label has been deprecated, The flag `enable-managedby-label` has been deprecated. Use the `managedByLabel` option in the `buildMetadata` field instead.',
    )
  return notes
}
