import type { KubeObject } from '../../lib/kube/object.ts'
import { alertTable } from './alert.ts'
import { bucketTable } from './bucket.ts'
import { externalArtifactTable } from './external-artifact.ts'
import { gitRepositoryTable } from './git-repository.ts'
import { imagePolicyTable } from './image-policy.ts'
import { imageRepositoryTable } from './image-repository.ts'
import { imageUpdateAutomationTable } from './image-update-automation.ts'
import { kustomizationTable } from './kustomization.ts'
import { ociRepositoryTable } from './oci-repository.ts'
import { providerTable } from './provider.ts'
import { receiverTable } from './receiver.ts'
import { schemaOf } from './schema.ts'
import type { KindTable } from './table.ts'

/** Every Flux kind that we install. */
export const FLUX_KINDS: readonly KindTable[] = [
  gitRepositoryTable,
  ociRepositoryTable,
  bucketTable,
  externalArtifactTable,
  kustomizationTable,
  imageRepositoryTable,
  imagePolicyTable,
  imageUpdateAutomationTable,
  providerTable,
  alertTable,
  receiverTable,
]

/**
 * The CustomResourceDefinition of a Flux kind: every version that Flux ever served, all with the schema of all fields, conversion None.
 *
 * One schema for all, so that an old field (`patchesStrategicMerge`) survives being stored as the newest version.
 */
export function definitionOf(table: KindTable): KubeObject {
  const schema = schemaOf(table.fields)
  const openAPIV3Schema = {
    description: table.about,
    ...schema,
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      ...(schema['properties'] as object),
    },
  }
  const stored = table.versions.at(-1)
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${table.plural}.${table.group}` },
    spec: {
      group: table.group,
      scope: 'Namespaced',
      names: {
        kind: table.kind,
        listKind: `${table.kind}List`,
        plural: table.plural,
        singular: table.kind.toLowerCase(),
        shortNames: table.shortNames,
        categories: table.categories,
      },
      conversion: { strategy: 'None' },
      versions: table.versions.map((name) => ({
        name,
        served: true,
        storage: name === stored,
        additionalPrinterColumns: table.columns.map(columnOf),
        schema: { openAPIV3Schema },
        ...(table.hasStatus ? { subresources: { status: {} } } : {}),
      })),
    },
  }
}

function columnOf(text: string): object {
  const [, name = '', type = '', priority, jsonPath = ''] =
    /^(.+?) (string|date|integer|boolean)(?:\/(\d))? (.+)$/.exec(text) ?? []
  return { name, type, jsonPath, ...(priority === undefined ? {} : { priority: Number(priority) }) }
}
