import { authorize } from '../../embedded/gitd/authorize.ts'
import { problem, type Route } from './route.ts'

/** What the routes do with workflow runs: ends one; answers its name, or `undefined` when none of that id is on its way. */
export type CancelRun = (runId: string, by: string) => string | undefined

/**
 * The API of `sluice cancel`, for holders of the token alone: no web page can send it, because a browser knows none and adds none by itself.
 */
export function runRoutes(token: string, cancel: CancelRun): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/api/v1/runs/:id/cancel',
      role: 'deployer',
      handle(req, { id = '' }) {
        const { user, trusted } = authorize(req.headers.get('authorization') ?? undefined, token)
        if (!trusted)
          return problem(401, 'TOKEN_NEEDED', 'this needs the token of access.json, as the password of any user')
        const by = user || 'somebody'
        const name = cancel(id, by)
        if (name === undefined) return problem(404, 'NOT_FOUND', `no workflow run "${id}" is on its way`)
        return Response.json({ id, name, cancelledBy: by }, { status: 202 })
      },
    },
  ]
}
