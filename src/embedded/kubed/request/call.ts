import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { Resource } from '../resources/resource.ts'
import type { User } from './user.ts'

/** The connection of a client that asks for another protocol. `head` are bytes that came after the request. */
export type Connection = { readonly headers: IncomingHttpHeaders; readonly socket: Socket; readonly head: Buffer }

/** A request for a resource, after authentication and routing. */
export type Call = {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** True below `/watch/`, where a single object is watched, too. */
  readonly isWatchPath: boolean
  readonly accept: string
  readonly contentType: string
  readonly body: Buffer
  readonly user: User
  readonly resource: Resource
  /** '' for cluster-scoped kinds and lists of all namespaces. */
  readonly namespace: string
  /** '' for lists and creates. */
  readonly name: string
  readonly subresource: string
  /** What comes after the subresource in the path. */
  readonly rest: string
  readonly manager: string
  readonly dryRun: boolean
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict'
  /** Undefined unless the client asks for an upgrade. */
  readonly connection: Connection | undefined
  /** Texts for `Warning` headers; the pipeline adds to it. */
  readonly warnings: string[]
}
