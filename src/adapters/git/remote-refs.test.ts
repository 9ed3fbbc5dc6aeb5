import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { listRemoteRefs } from './remote-refs.ts'

/** Where a host may send us, and what is said when we do not go there. */
const redirects: readonly { readonly to: string; readonly want: RegExp }[] = [
  { to: 'http://[', want: /redirected to "http:\/\/\[", which is no address/ },
  { to: 'http://other.example/x', want: /redirected to another host: other\.example/ },
  { to: 'http://127.0.0.1:1/x', want: /redirected to another host: 127\.0\.0\.1:1/ },
  { to: 'ftp://127.0.0.1/x', want: /redirected from https? to ftp/ },
]
for (const { to, want } of redirects)
  test(`a login is not taken along to ${to}`, async (t) => {
    const server = createServer((_, response) => response.writeHead(302, { location: to }).end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close().closeAllConnections())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.git`
    const asked = listRemoteRefs(url, { authorization: 'Basic eA==' }, AbortSignal.timeout(5_000))
    await assert.rejects(asked, (error) => error instanceof SluiceError && want.test(error.message))
  })
