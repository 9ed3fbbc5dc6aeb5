import type { RepositoryHeld } from '../../lib/oci/contents.ts'
import { endpointOf } from './endpoint.ts'
import { expectStatus } from './expect-status.ts'
import { discard, makeTransport, readAnswer } from './http.ts'
import { openSession } from './session.ts'

const MOST_BYTES = 256 << 20

/** What keeps a registry of ours from growing for ever. Every call throws as those of `RegistryClient` do. */
export type Housekeeping = {
  /** Every manifest with its age and parts. */
  readonly contents: () => Promise<readonly RepositoryHeld[]>
  /** Deletes a manifest with its tags, unless somebody pushed it or what names it since then, or it is gone already: then answers false. */
  readonly deleteManifest: (repository: string, digest: string, sinceMs: number) => Promise<boolean>
  /** Frees what no manifest refers to. */
  readonly collect: () => Promise<void>
  readonly close: () => void
}

/** Opens the requests that registryd has besides those of the distribution specification. */
export function openHousekeeping(host: string): Housekeeping {
  const transport = makeTransport({ timeoutMs: 120_000 })
  const session = openSession(endpointOf(host, { [host]: `http://${host}` }), transport, () => undefined)
  const ask = (method: string, path: string, headers: Record<string, string> = {}) =>
    session.ask({ method, path, scope: '', headers })
  return {
    async contents() {
      const answer = await ask('GET', '_sluice/contents')
      await expectStatus(answer, [200], 'the contents of the registry')
      const { repositories }: { repositories: readonly RepositoryHeld[] } = JSON.parse(
        (await readAnswer(answer, MOST_BYTES, 'the contents of the registry')).toString('utf8'),
      )
      return repositories
    },
    async deleteManifest(repository, digest, sinceMs) {
      const headers = { 'if-unmodified-since': new Date(sinceMs).toUTCString() }
      const answer = await ask('DELETE', `${repository}/manifests/${digest}`, headers)
      if (answer.statusCode !== 404 && answer.statusCode !== 412)
        await expectStatus(answer, [202], `the deletion of ${repository}@${digest}`)
      discard(answer)
      return answer.statusCode === 202
    },
    async collect() {
      const answer = await ask('POST', '_sluice/contents')
      await expectStatus(answer, [200], 'the collection of the registry')
      discard(answer)
    },
    close: () => transport.close(),
  }
}
