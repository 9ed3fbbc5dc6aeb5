import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openArtifactStore } from './artifact-store.ts'

const statusAs = (host: string, url: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    http.get(url, { headers: { host } }, (answer) => resolve(answer.resume().statusCode)).on('error', reject)
  })

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
const hosts = ['127.0.0.1', ...(hasIpv6 ? ['[::1]'] : [])]

for (const host of hosts)
  test(`artifacts are served on ${host}, under the address with the real port`, async () => {
    const root = mkdtempSync(join(tmpdir(), 'sluice-artifacts-'))
    const store = await openArtifactStore(root, `${host}:0`)
    try {
      await store.write('gitrepository/a/b/c.tar.gz', Buffer.from('text'))
      assert.match(store.host, /:[1-9]\d*$/)
      assert.equal(await (await fetch(store.urlOf('gitrepository/a/b/c.tar.gz'))).text(), 'text')
      assert.equal(await statusAs('evil.example.com', store.urlOf('gitrepository/a/b/latest.tar.gz')), 421)
    } finally {
      await store.close()
      rmSync(root, { recursive: true, force: true })
    }
  })
