/** A valid object of a kind, with as many fields as it can bear; where it is created. */
export type Seed = { readonly path: string; readonly object: Readonly<Record<string, unknown>> }

/** The namespace of all seeds. */
export const SPACE = 'pair'

/** A seed by its apiVersion, plural and kind. */
export const seed = (group: string, plural: string, kind: string, rest: object, isNamespaced = true): Seed => ({
  path: `/${group === 'v1' ? 'api' : 'apis'}/${group}/${isNamespaced ? `namespaces/${SPACE}/` : ''}${plural}`,
  object: { apiVersion: group, kind, metadata: { name: 'seed' }, ...rest },
})
