import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { fetchVariables } from '../../adapters/engine/kustomization/variables.ts'
import { diskTree } from '../../adapters/files/disk-tree.ts'
import type { KubeClient } from '../../adapters/kube/types.ts'
import { type Kustomization, parseKustomization } from '../../kinds/kustomization.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { type KubeObject, refOf } from '../../lib/kube/object.ts'
import { compileIgnore, withoutPaths } from '../../pipeline/apply/ignore.ts'
import { inventoryEntry, staleEntries } from '../../pipeline/apply/inventory.ts'
import { withMetadata } from '../../pipeline/apply/normalize.ts'
import { type ObjectDiff, planDeletions, planDiff, type Rehearsed, renderDiff } from '../../pipeline/apply/plan-diff.ts'
import { ownerLabels } from '../../pipeline/apply/rules.ts'
import { buildKustomization } from '../../pipeline/build/build-kustomization.ts'
import type { Substitution } from '../../pipeline/build/substitute-objects.ts'
import { CLUSTER_OPTIONS, CLUSTER_USAGE, withCluster, outputOption } from './cluster.ts'
import { type Command, type ExitCode, type Io, usageError } from './command.ts'
import { defaultNamespace } from './get.ts'
import { findKind, fluxKind } from './kind-names.ts'
import { realFolder } from './real-folder.ts'
import { mustGet } from './reconcile.ts'
import { fetchLeftObjects, rehearseApply } from './rehearse.ts'

/** `sluice diff`: exit codes as `flux diff` and `kubectl diff`: 0 no difference, 1 differences, above 1 failed. */
export const diff: Command = {
  name: 'diff',
  summary: 'Show what applying a folder would create, change and delete; nothing is written',
  usage: `sluice diff kustomization NAME --path DIR [-o text|json] ${CLUSTER_USAGE}\n       sluice diff DIR [-o text|json] ${CLUSTER_USAGE}      exit code 1 when there are differences`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...CLUSTER_OPTIONS,
        path: { type: 'string' },
        ...outputOption('text'),
      },
    })
    const [first = '', name] = positionals
    const { output } = values
    if (output !== 'text' && output !== 'json') return usageError(io, diff, `no such output format: ${output}`)
    if (first === '' || positionals.length > 2) return usageError(io, diff, 'which folder?')
    const isNamed = name !== undefined || values.path !== undefined
    if (isNamed && (fluxKind(first)?.kind !== 'Kustomization' || name === undefined || values.path === undefined))
      return usageError(io, diff, 'a Kustomization wants its name and --path')
    return withCluster(values, io, async (client) => {
      const compared =
        name === undefined
          ? await compareFolder(client, realFolder(io, first), io, values.namespace ?? 'default')
          : await compareKustomization(client, name, realFolder(io, values.path ?? ''), io, values.namespace)
      return answer(compared, output, io)
    })
  },
}

type Compared = { readonly diffs: readonly ObjectDiff[]; readonly refusals: readonly string[] }

function answer({ diffs, refusals }: Compared, format: 'text' | 'json', io: Io): ExitCode {
  const text = format === 'json' ? JSON.stringify(diffs, undefined, 2) : renderDiff(diffs).replace(/\n$/, '')
  if (text !== '') io.out(text)
  for (const refusal of refusals) io.err(`✗ ${refusal}`)
  if (refusals.length > 0) return 3
  return diffs.length === 0 ? 0 : 1
}

async function compareFolder(client: KubeClient, dir: string, io: Io, namespace: string): Promise<Compared> {
  const { objects, refusals } = await rehearseApply(client, buildFolder(dir, io, {}), namespace)
  return { diffs: planDiff(objects), refusals }
}

async function compareKustomization(
  client: KubeClient,
  name: string,
  dir: string,
  io: Io,
  namespaceFlag: string | undefined,
): Promise<Compared> {
  const kind = await findKind(client, 'kustomization')
  const namespace = namespaceFlag ?? defaultNamespace(kind)
  const kustomization = parseKustomization(await mustGet(client, { ...kind, namespace, name }))
  const built = await buildOwned(client, kustomization, dir, io)
  const { objects, refusals } = await rehearseApply(client, built, undefined)
  const diffs = planDiff(withoutIgnored(objects, kustomization.ignore))
  // A build that the server refuses is never applied, so nothing is pruned after it.
  if (!kustomization.prune || refusals.length > 0) return { diffs, refusals }
  const left = staleEntries(
    kustomization.inventory,
    built.map((object) => inventoryEntry(refOf(object))),
  )
  const gone = planDeletions(await fetchLeftObjects(client, left), `${namespace}/${name}`)
  return { diffs: [...diffs, ...gone], refusals }
}

/** Fields that `spec.ignore` leaves to others are no difference of an object that is there. */
function withoutIgnored(objects: readonly Rehearsed[], rules: Kustomization['ignore']): readonly Rehearsed[] {
  if (rules.length === 0) return objects
  const ignored = compileIgnore(rules)
  return objects.map((object) => {
    const paths = ignored(object.wanted)
    const { live, after } = object
    return { ...object, live: live && withoutPaths(live, paths), after: after && withoutPaths(after, paths) }
  })
}

/** Builds the folder as the engine would build the Kustomization's own: its spec, its variables, its labels. */
async function buildOwned(
  client: KubeClient,
  kustomization: Kustomization,
  dir: string,
  io: Io,
): Promise<readonly KubeObject[]> {
  const fetched = await fetchVariables(client, kustomization)
  if ('missing' in fetched) {
    const { kind, name } = fetched.missing
    throw new SluiceError('SECRET_MISSING', `${kind} "${name}" not found in ${kustomization.namespace} namespace`, {
      retry: 'backoff',
      where: 'spec.postBuild.substituteFrom',
      hint: 'create it, or mark the reference as optional',
    })
  }
  const spec = { ...kustomization.spec, commonMetadata: undefined }
  const labels = ownerLabels(kustomization.namespace, kustomization.name)
  return buildFolder(dir, io, spec, fetched.substitution).map((object) =>
    withMetadata(withMetadata(object, labels), kustomization.commonLabels, kustomization.commonAnnotations),
  )
}

function buildFolder(
  dir: string,
  io: Io,
  spec: Readonly<Record<string, unknown>>,
  substitution?: Substitution,
): readonly KubeObject[] {
  if (!existsSync(dir))
    throw new SluiceError('KUSTOMIZE_PATH', `no such folder: ${dir}`, { hint: 'name a folder of manifests' })
  const root = rootOf(dir, realFolder(io, '.'))
  const built = buildKustomization({
    tree: diskTree(),
    root,
    path: relative(root, dir),
    spec,
    ...(substitution ? { substitution } : {}),
  })
  for (const warning of built.warnings) io.err(warning)
  return built.objects
}

/** What the build may read, as the source that the engine would fetch: the repository around the folder, else the working folder, else the folder itself. */
function rootOf(dir: string, cwd: string): string {
  for (let at = dir; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at
    if (at === dirname(at)) break
  }
  const isInside = dir === cwd || dir.startsWith(`${cwd}/`)
  return isInside ? cwd : dir
}
