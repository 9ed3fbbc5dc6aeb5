import type { Pruner } from '../prune/pruner.ts'
import { authorize } from '../../embedded/gitd/authorize.ts'
import { problem, type Route } from './route.ts'

/** One image of each repository stays: it may be the base of others. */
const LEAST = [
  ['newest', 1],
  ['days', 0],
] as const

/** The API of `sluice prune`: GET tells what would be removed, POST removes it and is for holders of the token alone. */
export function pruneRoutes(token: string, prune: Pruner['prune']): readonly Route[] {
  const path = '/api/v1/prune'
  return [
    { method: 'GET', path, role: 'viewer', handle: (req) => answer(req, prune, true) },
    {
      method: 'POST',
      path,
      role: 'deployer',
      handle(req) {
        if (authorize(req.headers.get('authorization') ?? undefined, token).trusted) return answer(req, prune, false)
        return problem(401, 'TOKEN_NEEDED', 'this needs the token of access.json, as the password of any user')
      },
    },
  ]
}

async function answer(req: Request, prune: Pruner['prune'], dryRun: boolean): Promise<Response> {
  const { searchParams } = new URL(req.url)
  const given: [string, number][] = []
  for (const [name, least] of LEAST) {
    const text = searchParams.get(name)
    if (text === null) continue
    if (!/^\d{1,6}$/.test(text) || Number(text) < least)
      return problem(400, 'LIMIT_INVALID', `${name} is a number from ${least}`)
    given.push([name, Number(text)])
  }
  return Response.json(await prune({ dryRun, ...Object.fromEntries(given) }))
}
