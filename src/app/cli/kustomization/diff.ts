import { parseArgs } from 'node:util'
import type { KubeClient } from '../../../adapters/kube/types.ts'
import type { Kustomization } from '../../../kinds/kustomization.ts'
import { refOf } from '../../../lib/kube/object.ts'
import { compileIgnore, withoutPaths } from '../../../pipeline/apply/ignore.ts'
import { inventoryEntry, staleEntries } from '../../../pipeline/apply/inventory.ts'
import {
  type ObjectDiff,
  planDeletions,
  planDiff,
  type Rehearsed,
  renderDiff,
} from '../../../pipeline/apply/plan-diff.ts'
import { CLUSTER_OPTIONS, CLUSTER_USAGE, withCluster, outputOption } from '../cluster.ts'
import { type Command, type ExitCode, type Io, usageError } from '../command.ts'
import { fluxKind } from '../objects/kind-names.ts'
import { buildFolder, buildLocal, findLocal, LOCAL_OPTIONS, LOCAL_USAGE, type Wanted } from './local-kustomization.ts'
import { realFolder } from '../build/real-folder.ts'
import { fetchLeftObjects, rehearseApply } from './rehearse.ts'

/** `sluice diff`: exit codes as `flux diff` and `kubectl diff`: 0 no difference, 1 differences, above 1 failed. */
export const diff: Command = {
  name: 'diff',
  summary: 'Show what applying a folder would create, change and delete; nothing is written',
  usage: `sluice diff kustomization NAME ${LOCAL_USAGE} [-o text|json] ${CLUSTER_USAGE}\n       sluice diff DIR [-o text|json] ${CLUSTER_USAGE}      exit code 1 when there are differences`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...CLUSTER_OPTIONS,
        ...LOCAL_OPTIONS,
        ...outputOption('text'),
      },
    })
    const [first = '', name] = positionals
    const { output } = values
    if (output !== 'text' && output !== 'json') return usageError(io, diff, `no such output format: ${output}`)
    if (first === '' || positionals.length > 2) return usageError(io, diff, 'which folder?')
    const isNamed = name !== undefined || values.path !== undefined || values['kustomization-file'] !== undefined
    if (isNamed && (fluxKind(first)?.kind !== 'Kustomization' || name === undefined || values.path === undefined))
      return usageError(io, diff, 'a Kustomization wants its name and --path')
    return withCluster(values, io, async (client) => {
      const compared =
        name === undefined
          ? await compareFolder(client, realFolder(io, first), io, values.namespace ?? 'default')
          : await compareKustomization(client, { name, namespace: values.namespace, values }, io)
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

/** The engine fails where a variable is given by nobody, so this is always strict. */
async function compareKustomization(client: KubeClient, wanted: Wanted, io: Io): Promise<Compared> {
  const local = { ...(await findLocal(client, io, wanted)), isStrict: true }
  const kustomization = local.object
  const built = await buildLocal(client, local, io)
  const { objects, refusals } = await rehearseApply(client, built, undefined)
  const diffs = planDiff(withoutIgnored(objects, kustomization.ignore))
  // A build that the server refuses is never applied, so nothing is pruned after it.
  if (!kustomization.prune || refusals.length > 0) return { diffs, refusals }
  const left = staleEntries(
    kustomization.inventory,
    built.map((object) => inventoryEntry(refOf(object))),
  )
  const gone = planDeletions(await fetchLeftObjects(client, left), `${kustomization.namespace}/${kustomization.name}`)
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
