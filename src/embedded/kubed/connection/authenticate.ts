import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { User } from '../call.ts'
import type { Environment } from '../environment.ts'
import { Fault } from '../fault.ts'
import { reviewToken } from './account-tokens.ts'
import { impersonated } from './impersonate.ts'

const ADMIN: User = { name: 'system:admin', groups: ['system:masters', 'system:authenticated'] }
/** Whoever brings no token. */
export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

/**
 * The user of a request: the administrator by token, a service account by its own, or nobody; and whom they act as.
 *
 * @throws Fault 401 for a wrong token, 403 for an impersonation that is not allowed
 */
export function authenticate(env: Environment, request: IncomingMessage, token: string): User {
  return impersonated(env, request, bearer(env, request.headers.authorization ?? '', token))
}

function bearer(env: Environment, header: string, token: string): User {
  const given = /^Bearer +(\S+)$/i.exec(header)?.[1]
  if (given === undefined) return ANONYMOUS
  if (sameText(given, token)) return ADMIN
  const { user } = reviewToken(env, given, [])
  if (user === undefined) throw new Fault(401, 'Unauthorized', 'Unauthorized')
  return user
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
const sameText = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))
