import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { KubeClient } from '../../../adapters/kube/types.ts'
import { parseKustomization } from '../../../kinds/kustomization.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { groupOf, type KubeObject } from '../../../lib/kube/object.ts'
import { dump } from '../../../lib/yaml/dump.ts'
import { maskSops } from '../../../pipeline/build/mask-sops.ts'
import { CLUSTER_OPTIONS, withCluster } from '../cluster.ts'
import { type Command, type ExitCode, type Io, usageError } from '../command.ts'
import { fluxKind } from '../objects/kind-names.ts'
import { buildLocal, findLocal, LOCAL_OPTIONS, type LocalKustomization } from './local-kustomization.ts'

const OPTIONS = {
  ...CLUSTER_OPTIONS,
  ...LOCAL_OPTIONS,
  'dry-run': { type: 'boolean', default: false },
  recursive: { type: 'boolean', short: 'r', default: false },
  'local-sources': { type: 'string', multiple: true },
  // Flux's own choice of how to build; ours always builds in memory.
  'in-memory-build': { type: 'boolean' },
} as const

/** Deepest chain of Kustomizations that `--recursive` follows. */
const DEEPEST = 50

/** `sluice build kustomization NAME --path DIR`: what the engine would apply, as `flux build kustomization` prints it. */
export async function buildKustomizationCommand(argv: readonly string[], io: Io, command: Command): Promise<ExitCode> {
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS })
  const [, name, more] = positionals
  if (name === undefined || more !== undefined) return usageError(io, command, 'kustomization name is required')
  if (values['dry-run'] && values['kustomization-file'] === undefined)
    return usageError(io, command, 'dry-run mode requires a kustomization file')
  const sources = parseSources(io, values['local-sources'] ?? [])
  if (sources === undefined) return usageError(io, command, '--local-sources wants Kind/namespace/name=DIR')
  const run = async (client: KubeClient | undefined): Promise<ExitCode> => {
    const found = await findLocal(client, io, { name, namespace: values.namespace, values })
    const tools = { client, io, sources: values.recursive ? sources : undefined }
    for (const object of await buildAll(tools, found, 0)) io.out(`${dump(object)}---`)
    return 0
  }
  return values['dry-run'] ? run(undefined) : withCluster(values, io, run)
}

type Tools = {
  readonly client: KubeClient | undefined
  readonly io: Io
  /** Folders by source; `undefined`: Kustomizations among the objects are not built. */
  readonly sources: ReadonlyMap<string, string> | undefined
}

async function buildAll(tools: Tools, local: LocalKustomization, depth: number): Promise<readonly KubeObject[]> {
  if (depth > DEEPEST)
    throw new SluiceError('KUSTOMIZE_PATH', `Kustomizations lead to each other more than ${DEEPEST} levels deep`)
  const objects = (await buildLocal(tools.client, local, tools.io)).map(maskSops)
  if (!tools.sources) return objects
  const all = [...objects]
  const group = fluxKind('kustomization')?.group
  for (const object of objects) {
    const isOther = object.metadata.name !== local.object.name || object.metadata.namespace !== local.object.namespace
    if (object.kind !== 'Kustomization' || groupOf(object.apiVersion) !== group || !isOther) continue
    const inner = parseKustomization(object)
    all.push(...(await buildAll(tools, { ...local, object: inner, dir: folderOf(tools.sources, inner) }, depth + 1)))
  }
  return all
}

function folderOf(
  sources: ReadonlyMap<string, string>,
  { sourceRef, path, name }: ReturnType<typeof parseKustomization>,
): string {
  const key = `${sourceRef.kind}/${sourceRef.namespace}/${sourceRef.name}`
  const dir = sources.get(key)
  if (dir === undefined)
    throw new SluiceError('KUSTOMIZE_PATH', `cannot get local path for ${key} of kustomization ${name}`, {
      hint: `say --local-sources ${key}=DIR`,
    })
  return join(dir, path)
}

function parseSources(io: Io, lists: readonly string[]): ReadonlyMap<string, string> | undefined {
  const pairs = lists.flatMap((list) => list.split(',')).map((pair) => /^(\w+\/[^/=]+\/[^/=]+)=(.+)$/.exec(pair))
  if (pairs.includes(null)) return undefined
  return new Map(pairs.map((pair) => [pair?.[1] ?? '', resolve(io.cwd, pair?.[2] ?? '')]))
}
