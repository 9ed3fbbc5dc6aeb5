import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { openArtifactStore } from './artifact-store.ts'

const answerAs = (host: string, url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    http
      .get(url, { headers: { host } }, (answer) => {
        void text(answer).then((said) => resolve(`${answer.statusCode} ${said}`), reject)
      })
      .on('error', reject)
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
      const refusal = await answerAs('evil.example.com', store.urlOf('gitrepository/a/b/latest.tar.gz'))
      assert.match(refusal, /^421 .* ask it as 127\.0\.0\.1 or localhost, or let --artifact-listen name/)
    } finally {
      await store.close()
      rmSync(root, { recursive: true, force: true })
    }
  })
