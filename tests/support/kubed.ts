import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { type Kubed, serveKubed } from '../../src/embedded/kubed/serve.ts'

/** What a server answered. */
export type Answer = {
  readonly code: number
  readonly text: string
  /** The text as JSON; an empty object where it is none. */
  readonly body: any
  /** '' without one. */
  readonly warning: string
}

/** Asks as an administrator. A body that is no text is sent as JSON, that of a PATCH as a merge patch, unless `headers` say otherwise. */
export type Ask = (
  method: string,
  path: string,
  body?: object | string,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>

/** Gets something that is no text, as an administrator. */
export type Get = (path: string, headers?: Readonly<Record<string, string>>) => Promise<Response>

/** A kubed with a folder of its own. */
export type OpenKubed = {
  readonly kubed: Kubed
  readonly ask: Ask
  readonly get: Get
  readonly close: () => Promise<void>
}

/** Starts a kubed; `close` ends it and removes its folder. */
export async function openKubed(disableAdmissionPlugins: readonly string[] = []): Promise<OpenKubed> {
  const stateDir = mkdtempSync(join(tmpdir(), 'kubed-'))
  const kubed = await serveKubed({ stateDir, port: 0, isAlsoPlain: true, disableAdmissionPlugins })
  const authorization = `Bearer ${kubed.token}`
  return {
    kubed,
    get: (path, headers) => fetch(`${kubed.plainServer}${path}`, { headers: { authorization, ...headers } }),
    async ask(method, path, body, headers) {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
      const answer = await fetch(`${kubed.plainServer}${path}`, {
        method,
        headers: { authorization, 'content-type': type, ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await answer.text()
      const warning = answer.headers.get('warning') ?? ''
      return { code: answer.status, text, body: text.startsWith('{') ? JSON.parse(text) : {}, warning }
    },
    async close() {
      await kubed.close()
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}

/**
 * A kubed for all tests of a file, there from before the first until after the last.
 *
 * @param prepare what the tests find there: another hook of the file would not wait for the server
 */
export function kubedOfFile(
  prepare: () => Promise<unknown> = () => Promise.resolve(),
): Pick<OpenKubed, 'ask' | 'get'> & { readonly kubed: () => Kubed } {
  let open: OpenKubed
  before(async () => {
    open = await openKubed()
    await prepare()
  })
  after(() => open.close())
  return {
    kubed: () => open.kubed,
    ask: (...request) => open.ask(...request),
    get: (...request) => open.get(...request),
  }
}
