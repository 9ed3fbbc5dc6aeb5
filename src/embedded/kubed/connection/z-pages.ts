import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { Fault } from '../fault.ts'
import { negotiate } from '../negotiation/accept.ts'
import { written } from '../negotiation/respond.ts'
import { warningHeader } from '../negotiation/warning-header.ts'

/** A page about the server itself: a text for people, and its fields for programs. */
export type ZPage = { readonly kind: 'Flagz' | 'Statusz'; readonly text: string; readonly fields: JsonObject }

const GROUP = 'config.k8s.io'
const SERVED = ['application/json', 'application/yaml', 'text/plain'] as const
const TEXT = { contentType: 'text/plain', as: undefined } as const
const WARNING = `
Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.
`

/**
 * Answers a page: as text unless a program asks for its kind by name (`as=Statusz;g=config.k8s.io;v=v1beta1`).
 *
 * @throws Fault 406
 * @see k8s.io/apiserver/pkg/server/statusz
 */
export function serveZPage(
  { kind, text, fields }: ZPage,
  { headers }: IncomingMessage,
  response: ServerResponse,
): void {
  const { contentType, as } = formOf((headers.accept ?? '').trim(), kind)
  const about = { 'cache-control': 'no-cache, private' }
  if (contentType === 'text/plain') {
    response.writeHead(200, { ...about, 'content-type': 'text/plain; charset=utf-8' })
    return void response.end(`\napiserver ${kind.toLowerCase()}${WARNING}${text}`)
  }
  const version = as?.version ?? ''
  const old = `This version of the ${kind.toLowerCase()} endpoint is deprecated. Please use a newer version.`
  response.writeHead(200, {
    ...about,
    ...warningHeader(version === 'v1alpha1' ? [old] : []),
    'content-type': `${contentType};g=${GROUP};v=${version};as=${kind}`,
  })
  const body = { kind, apiVersion: `${GROUP}/${version}`, metadata: { name: 'apiserver' }, ...fields }
  response.end(written(response, JSON.stringify(body), contentType))
}

function formOf(
  accept: string,
  kind: ZPage['kind'],
): NonNullable<ReturnType<typeof negotiate<(typeof SERVED)[number]>>> {
  if (accept === '') return TEXT
  const found = negotiate(accept, SERVED, (contentType, as) => {
    if (contentType === 'text/plain') return as === undefined
    return as?.group === GROUP && as.kind === kind && ['v1alpha1', 'v1beta1'].includes(as.version)
  })
  if (found !== undefined) return found
  throw new Fault(406, 'NotAcceptable', `only the following media types are accepted: ${SERVED.join(', ')}`)
}
