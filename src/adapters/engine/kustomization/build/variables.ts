import type { Kustomization, SubstituteReference } from '../../../../kinds/kustomization.ts'
import { textMap } from '../../../../kinds/flux-object.ts'
import type { Substitution } from '../../../../pipeline/build/substitute-objects.ts'
import type { KubeClient } from '../../../kube/types.ts'

/** `spec.postBuild` with its variables, or the reference that is not there. */
export type Variables = { readonly substitution: Substitution | undefined } | { readonly missing: SubstituteReference }

/**
 * Fetches what `spec.postBuild` names: references in order, later ones win, inline variables over all. Newlines are taken out, as in Flux.
 *
 * @param client `undefined`: nobody is asked, and references are left out
 */
export async function fetchVariables(client: KubeClient | undefined, kustomization: Kustomization): Promise<Variables> {
  const { substituteFrom, substitute, substituteAlways, namespace } = kustomization
  const variables: Record<string, string> = {}
  for (const reference of client ? substituteFrom : []) {
    const object = await client?.get({ apiVersion: 'v1', kind: reference.kind, namespace, name: reference.name })
    if (!object && !reference.isOptional) return { missing: reference }
    for (const [name, value] of Object.entries(textMap(object, 'data')))
      variables[name] = plain(reference.kind === 'Secret' ? Buffer.from(value, 'base64').toString('utf8') : value)
  }
  for (const [name, value] of Object.entries(substitute)) variables[name] = plain(value)
  if (Object.keys(variables).length === 0 && !substituteAlways) return { substitution: undefined }
  return {
    substitution: { variables, strategy: substituteAlways ? 'Always' : 'WithVariables', strict: true },
  }
}

function plain(value: string): string {
  return value.replaceAll('\n', '')
}
