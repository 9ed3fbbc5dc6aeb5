import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { User } from '../call.ts'
import { Fault } from '../fault.ts'

const ADMIN: User = { name: 'system:admin', groups: ['system:masters', 'system:authenticated'] }
const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

/** The user of a request: the administrator by token, or nobody. @throws Fault 401 for a wrong token */
export function authenticate(request: IncomingMessage, token: string): User {
  const header = request.headers.authorization ?? ''
  if (header === '') return ANONYMOUS
  const match = /^Bearer +(\S+)$/i.exec(header)
  if (match === null || !sameText(match[1] ?? '', token)) throw new Fault(401, 'Unauthorized', 'Unauthorized')
  return impersonated(request, ADMIN)
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
const sameText = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))

/** The administrator may act as anybody. */
function impersonated(request: IncomingMessage, user: User): User {
  const name = request.headers['impersonate-user']
  if (typeof name !== 'string' || name === '') return user
  const groups = request.rawHeaders.flatMap((header, index, all) =>
    index % 2 === 0 && header.toLowerCase() === 'impersonate-group' ? [all[index + 1] ?? ''] : [],
  )
  const account = /^system:serviceaccount:([^:]+):[^:]+$/.exec(name)
  const own =
    account === null ? groups : [...groups, 'system:serviceaccounts', `system:serviceaccounts:${account[1] ?? ''}`]
  return { name, groups: [...new Set([...own, 'system:authenticated'])] }
}
