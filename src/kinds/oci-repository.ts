import type { KubeObject } from '../lib/kube/object.ts'
import { read, readList, readText } from '../lib/kube/read.ts'
import { optionalText } from './flux-object.ts'
import { parseSourceObject, type SourceObject } from './source.ts'

/** An OCIRepository of any version. */
export type OciRepository = SourceObject & {
  /** As written, `oci://host/path`. */
  readonly url: string
  readonly ref: {
    readonly tag?: string
    readonly semver?: string
    readonly semverFilter?: string
    readonly digest?: string
  }
  /** Undefined: the first layer, unpacked. */
  readonly layerSelector: { readonly mediaType?: string; readonly operation?: string } | undefined
  readonly isInsecure: boolean
  readonly verify: OciVerify | undefined
}

/** `spec.verify`. */
export type OciVerify = {
  readonly provider: string
  readonly secretName: string | undefined
  readonly hasIdentities: boolean
}

/**
 * Reads an OCIRepository of any API version that Flux ever served.
 *
 * @throws SluiceError OBJECT_INVALID for a duration that is none
 */
export function parseOciRepository(object: KubeObject): OciRepository {
  const verify = read(object, 'spec', 'verify')
  const selector = read(object, 'spec', 'layerSelector')
  return {
    url: readText(object, 'spec', 'url'),
    ref: fieldsOf(read(object, 'spec', 'ref'), ['tag', 'semver', 'semverFilter', 'digest']),
    layerSelector: selector === undefined ? undefined : fieldsOf(selector, ['mediaType', 'operation']),
    isInsecure: read(object, 'spec', 'insecure') === true,
    verify:
      verify === undefined
        ? undefined
        : {
            provider: optionalText(verify, 'provider') ?? 'cosign',
            secretName: optionalText(verify, 'secretRef', 'name'),
            hasIdentities: readList(verify, 'matchOIDCIdentity').length > 0,
          },
    ...parseSourceObject(object),
  }
}

function fieldsOf<Name extends string>(value: unknown, names: readonly Name[]): { readonly [N in Name]?: string } {
  const found: { [N in Name]?: string } = {}
  for (const name of names) {
    const text = optionalText(value, name)
    if (text !== undefined) found[name] = text
  }
  return found
}
