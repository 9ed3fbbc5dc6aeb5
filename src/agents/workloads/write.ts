import type { DeleteOptions, PatchType } from '../../adapters/kube/types.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/object.ts'

/** The name under which the controllers own fields, as the original's do. */
export const FIELD_MANAGER = 'kube-controller-manager'

/** Something to be told as an Event about `about`. `{name}` and `{error}` stand for what the write answered. */
export type Telling = {
  readonly about: KubeObject
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** One change that a controller decided on, as plain data. */
export type Write =
  | { readonly do: 'create'; readonly object: KubeObject; readonly tell?: Telling; readonly tellFailure?: Telling }
  | {
      readonly do: 'replace'
      readonly object: KubeObject
      readonly subresource?: 'status' | 'finalize' | 'approval'
      readonly tell?: Telling
    }
  | {
      readonly do: 'patch'
      readonly ref: ObjectRef
      readonly type: PatchType
      readonly body: unknown
      readonly subresource?: 'status'
      readonly tell?: Telling
    }
  | {
      readonly do: 'delete'
      readonly object: KubeObject
      readonly options?: DeleteOptions
      readonly tell?: Telling
      readonly tellFailure?: Telling
    }
  | { readonly do: 'tell'; readonly tell: Telling }
