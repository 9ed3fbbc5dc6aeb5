import { definitionType } from '../../../lib/kube-schema/builtin.ts'
import { shapeLikeGo } from '../decoding/go-shape.ts'
import { defaultCustom } from './structural.ts'
import type { Obj } from '../object.ts'
import type { Resource } from '../resources/resource.ts'
import { applyDefaults } from './apply.ts'
import { stampTemplate } from './template-generation.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** Defaults and shape, before ownership is counted: what admission and the server add later belongs to nobody. In place. */
export function defaultObject(resource: Resource, object: Obj): void {
  if (resource.custom === undefined) {
    if (resource.storageKey === 'apps/daemonsets') stampTemplate(object)
    applyDefaults(resource.type, object)
    shapeLikeGo(resource.type, object)
  } else {
    defaultCustom(resource.type, object)
    shapeMeta(object)
  }
  // Go leaves out a name that is still to be chosen.
  object.metadata.name ??= ''
}

function shapeMeta(object: Obj): void {
  const type = definitionType(META)
  if (type !== undefined) shapeLikeGo(type, object.metadata)
}
