/** Quantities by the name of a resource, as `cpu`. */
export type ResourceList = Readonly<Record<string, string | number>>

/** A port of a container, and of the node where it asks for one. */
export type ContainerPort = {
  readonly name?: string
  readonly containerPort: number
  readonly protocol?: string
  readonly hostPort?: number
  readonly hostIP?: string
}
