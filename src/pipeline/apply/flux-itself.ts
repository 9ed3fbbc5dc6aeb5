import { FLUX_KINDS } from '../../kinds/crds/definition.ts'
import type { Kustomization } from '../../kinds/kustomization.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/object.ts'
import { readList, readText } from '../../lib/kube/read.ts'
import { rulesOf } from './rules.ts'

/** How an engine stands to an installation of Flux in the repositories that it applies. */
export type Stance = {
  readonly traps: 'safe' | 'flux'
  /** It has installed the definitions of Flux's kinds, in every version that they ever had. */
  readonly installsCrds: boolean
}

/** Those of Flux's controllers whose work the engine does. */
const CONTROLLERS = new Set([
  'source-controller',
  'kustomize-controller',
  'notification-controller',
  'image-reflector-controller',
  'image-automation-controller',
])

const DEFINITIONS = new Set(FLUX_KINDS.map(({ plural, group }) => `${plural}.${group}`))

/** One of Flux's controllers, by the name of the Deployment and of its image, wherever that was copied to. Pure. */
export function isFluxController(object: KubeObject): boolean {
  const { kind, metadata } = object
  if (kind !== 'Deployment' || !CONTROLLERS.has(metadata.name)) return false
  return readList(object, 'spec', 'template', 'spec', 'containers').some(
    (container) => imageName(readText(container, 'image')) === metadata.name,
  )
}

/**
 * Whether an object of Git is left as it is in the cluster, as if annotated `ssa: Ignore`: Flux's controllers would work on the same objects
 * as the engine, and its definitions know fewer versions and fields. That is so with `--traps flux`, too: it asks for Flux's ways, not for
 * a second Flux. On other clusters (`spec.kubeConfig`) Flux may well be wanted, and whoever annotates it `ssa: Override` wants it here. Pure.
 */
export function isLeftAlone({ installsCrds }: Stance, { kubeConfig }: Kustomization, object: KubeObject): boolean {
  if (kubeConfig !== undefined || rulesOf(object).isOverriding) return false
  return isFluxController(object) || (installsCrds && isOwnDefinition(object.kind, object.metadata.name))
}

/**
 * Whether a prune leaves an object: with the definition of a kind go all its objects, and with them all that they ever applied; safe, so it is
 * with the namespace that the Kustomization itself is in. Pure.
 */
export function isNeverPruned({ traps }: Stance, { kubeConfig, namespace }: Kustomization, ref: ObjectRef): boolean {
  if (kubeConfig !== undefined) return false
  if (isOwnDefinition(ref.kind, ref.name)) return true
  return traps === 'safe' && ref.kind === 'Namespace' && ref.apiVersion === 'v1' && ref.name === namespace
}

function isOwnDefinition(kind: string, name: string): boolean {
  return kind === 'CustomResourceDefinition' && DEFINITIONS.has(name)
}

/** `ghcr.io/fluxcd/source-controller:v1.9.4` -> `source-controller`. */
function imageName(image: string): string {
  return image.slice(image.lastIndexOf('/') + 1).replace(/[:@].*$/, '')
}
