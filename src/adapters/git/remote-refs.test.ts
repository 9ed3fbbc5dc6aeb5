import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { listRemoteRefs } from './remote-refs.ts'

/** Answers its address. */
async function host(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.git`
}

/** Where a host may send us, and what is said when we do not go there. */
const redirects: readonly { readonly to: string; readonly want: RegExp }[] = [
  { to: 'http://[', want: /redirected to "http:\/\/\[", which is no address/ },
  { to: 'http://other.example/x', want: /redirected to another host: other\.example/ },
  { to: 'http://127.0.0.1:1/x', want: /redirected to another host: 127\.0\.0\.1:1/ },
  { to: 'ftp://127.0.0.1/x', want: /redirected from https? to ftp/ },
]
for (const { to, want } of redirects)
  test(`a login is not taken along to ${to}`, async (t) => {
    const url = await host(t, (_, response) => response.writeHead(302, { location: to }).end())
    const asked = listRemoteRefs(url, { authorization: 'Basic eA==' }, AbortSignal.timeout(5_000))
    await assert.rejects(asked, (error) => error instanceof SluiceError && want.test(error.message))
  })

const line = (text: string): string => `${(text.length + 5).toString(16).padStart(4, '0')}${text}\n`
const [older, newer] = ['1'.repeat(40), '2'.repeat(40)]
const service = `${line('# service=git-upload-pack')}0000`
const tags = `${line(`${older} refs/tags/v1\0multi_ack`)}${line(`${newer} refs/tags/v2`)}0000`
const none = line(`${'0'.repeat(40)} capabilities^{}\0multi_ack`)
const lists: readonly { readonly it: string; readonly body: string; readonly want: string[] | undefined }[] = [
  { it: 'with all of its lines', body: service + tags, want: ['refs/tags/v1', 'refs/tags/v2'] },
  { it: 'that does not name its service', body: tags, want: ['refs/tags/v1', 'refs/tags/v2'] },
  { it: 'of a repository without refs', body: `${service}${none}0000`, want: [] },
  { it: 'of a repository without refs, of an old host', body: `${service}0000`, want: [] },
  { it: 'without its end', body: (service + tags).slice(0, -4), want: undefined },
  { it: 'without its last line', body: service + tags.slice(0, tags.indexOf(newer) - 4), want: undefined },
  { it: 'that ends in a name', body: (service + tags).slice(0, -6), want: undefined },
  { it: 'that did not come', body: service, want: undefined },
  { it: 'without a byte', body: '', want: undefined },
]
for (const { it, body, want } of lists)
  test(`a list of refs ${it}, ended by the end of its connection, is ${want ? 'read' : 'refused'}`, async (t) => {
    // neither a length nor chunks: HTTP cannot tell that something is missing
    const url = await host(t, ({ socket }) => void socket.end(`HTTP/1.1 200 OK\r\n\r\n${body}`))
    const asked = listRemoteRefs(url, {}, AbortSignal.timeout(5_000))
    if (want)
      assert.deepEqual(
        (await asked).map(({ name }) => name),
        want,
      )
    else await assert.rejects(asked, { code: 'GIT_REMOTE', retry: 'backoff', message: /has no end/ })
  })
