import { parseArgs } from 'node:util'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { dump } from '../../../lib/yaml/dump.ts'
import { CLUSTER_OPTIONS, CLUSTER_USAGE, withCluster } from '../cluster.ts'
import { type Command, usageError } from '../command.ts'
import { defaultNamespace } from './get.ts'
import { refuseMore } from '../misread.ts'
import { findKind, splitKind } from './kind-names.ts'

export const exportCommand: Command = {
  name: 'export',
  summary: 'Print objects as they would stand in Git',
  usage: `sluice export <kind> <name> | --all ${CLUSTER_USAGE}`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...CLUSTER_OPTIONS, all: { type: 'boolean', default: false } },
    })
    const { kind: kindName, rest } = splitKind(positionals)
    refuseMore(rest, 1)
    const [name] = rest
    if (kindName === '' || (name === undefined && !values.all)) return usageError(io, this, 'which object?')
    return withCluster(values, io, async (client) => {
      const kind = await findKind(client, kindName)
      const namespace = values.namespace ?? defaultNamespace(kind)
      const found =
        name === undefined
          ? (await client.list({ ...kind, namespace })).items
          : [await client.get({ ...kind, namespace, name })].filter((object) => object !== undefined)
      if (found.length === 0) {
        io.err(`${kind.plural} ${name === undefined ? '' : `"${name}" `}not found in ${namespace} namespace`)
        return 1
      }
      for (const object of found) io.out(renderForGit({ ...object, apiVersion: kind.apiVersion, kind: kind.kind }))
      return 0
    })
  },
}

/** Annotations by which clients remember what they did. */
const NOTES_OF_CLIENTS = /^(kubectl\.kubernetes\.io\/last-applied-configuration$|reconcile\.fluxcd\.io\/)/

/** An object without what the cluster knows of it: no status, no identifiers, no managers. */
export function renderForGit({ apiVersion, kind, metadata, status: _, ...content }: KubeObject): string {
  const { name, namespace, labels, annotations } = metadata
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !NOTES_OF_CLIENTS.test(key))
  const meta = {
    ...(kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {}),
    ...(labels === undefined ? {} : { labels }),
    name,
    ...(namespace === undefined ? {} : { namespace }),
  }
  return `---\n${dump({ apiVersion, kind, metadata: meta, ...content }).trimEnd()}`
}
