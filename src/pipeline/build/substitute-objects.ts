import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { dump } from '../../lib/yaml/dump.ts'
import { goSyntaxError } from '../../lib/yaml/syntax/go-syntax-error.ts'
import { loadOne } from '../../lib/yaml/load.ts'
import { shortId } from './decrypt-objects.ts'
import { substitute } from './substitute.ts'

/** `spec.postBuild` with its variables fetched: `substituteFrom` in order, then `substitute`, later ones over earlier ones. */
export type Substitution = {
  readonly variables: Readonly<Record<string, string>>
  /** 'WithVariables' (default) does nothing when there is no variable. */
  readonly strategy?: 'WithVariables' | 'Always'
  /** Whether a variable that is not given and has no default fails the build (Flux 2.9's default). */
  readonly strict?: boolean
  /** `safe` (default): forms that mislead are refused. */
  readonly traps?: 'safe' | 'flux'
}

const DISABLED = 'kustomize.toolkit.fluxcd.io/substitute'
const NAME = /^[_a-zA-Z][_a-zA-Z0-9]*$/

/**
 * Replaces `${NAME}` in the YAML of every object; the result is read as YAML again, so quotes matter.
 *
 * @throws SluiceError in Flux's words, naming the first object that it goes wrong for
 */
export function substituteObjects(objects: readonly KubeObject[], substitution: Substitution): readonly KubeObject[] {
  if (Object.keys(substitution.variables).length === 0 && substitution.strategy !== 'Always') return objects
  const { strict = true, traps = 'safe' } = substitution
  let variables: ReadonlyMap<string, string> | undefined
  return objects.map((object) => {
    if (isSubstitutionDisabled(object)) return object
    try {
      variables ??= cleaned(substitution.variables)
      const text = dump(object)
      if (!text.includes('$')) return object
      return reread(substitute(text, variables, { isStrict: strict, traps }), object)
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      const { code, where, hint } = error
      throw new SluiceError(code, `post build failed for '${shortId(object)}': envsubst error: ${error.message}`, {
        where: where ?? 'spec.postBuild',
        ...(hint === undefined ? {} : { hint }),
      })
    }
  })
}

function cleaned(variables: Readonly<Record<string, string>>): Map<string, string> {
  const map = new Map<string, string>()
  for (const [name, value] of Object.entries(variables)) {
    if (!NAME.test(name))
      throw new SluiceError(
        'KUSTOMIZE_INVALID',
        `'${name}' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'`,
        { where: 'spec.postBuild' },
      )
    map.set(name, value.replaceAll('\n', ''))
  }
  return map
}

/** Whether an object says that it is no template. */
export function isSubstitutionDisabled({ metadata }: KubeObject): boolean {
  return metadata.labels?.[DISABLED] === 'disabled' || metadata.annotations?.[DISABLED] === 'disabled'
}

function reread(text: string, object: KubeObject): KubeObject {
  const value = parse(text, `${object.kind}/${object.metadata.name}`)
  if (typeof value === 'object' && value !== null && 'kind' in value && 'metadata' in value) return value as KubeObject
  throw new SluiceError('KUSTOMIZE_BUILD', `substitution leaves no object of ${object.kind}/${object.metadata.name}`)
}

function parse(text: string, name: string): unknown {
  try {
    return loadOne(text, name, 'v2')
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'YAML_SYNTAX') throw error
    const { where, hint } = error
    throw new SluiceError('YAML_SYNTAX', `YAMLToJSON: ${goSyntaxError(error, text, 'v2')}`, {
      ...(where === undefined ? {} : { where }),
      ...(hint === undefined ? {} : { hint }),
    })
  }
}
