import { type Json, objectOf } from '../../../lib/kube/json.ts'
import { labelKeyErrors } from '../../../lib/kube/names.ts'
import type { FieldError } from '../fault.ts'
import { invalidFor, invalidValue, required } from './fault-list.ts'
import { checkAnnotationSize } from './meta.ts'

/** What a pod tells a signer besides: keys with a domain. @see k8s.io/kubernetes/pkg/apis/core/validation ValidateUserAnnotations */
export function checkUserAnnotations(annotations: Json | undefined, path: string, errors: FieldError[]): void {
  for (const key of Object.keys(objectOf(annotations)).map((each) => each.toLowerCase())) {
    const why = labelKeyErrors(key)
    if (key === '') required(errors, path)
    else if (why.length > 0) invalidFor(errors, path, key, why)
    else if (!key.includes('/'))
      invalidValue(errors, path, key, 'must be a domain-prefixed key (such as "acme.io/foo")')
  }
  checkAnnotationSize(annotations, path, errors)
}
