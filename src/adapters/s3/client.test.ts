import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBucket } from './client.ts'

// Nothing listens on port 9 of this machine; the words are those of source-controller 1.9.1.
for (const { region, said } of [
  { region: undefined, said: 'Get "http://127.0.0.1:9/web-assets/?location="' },
  { region: 'eu-west-1', said: 'Head "http://127.0.0.1:9/web-assets/"' },
])
  test(`a bucket ${region ? 'of a region' : 'without a region'} that nobody serves: ${said}`, async () => {
    const signal = AbortSignal.timeout(10_000)
    const bucket = openBucket({ endpoint: '127.0.0.1:9', isInsecure: true, region, signal }, 'web-assets')
    await assert.rejects(bucket.exists(), { message: `${said}: dial tcp 127.0.0.1:9: connect: connection refused` })
  })

test('a bucket that does not answer in time is told of in the words of Flux, not of this process', async () => {
  const signal = AbortSignal.abort()
  const bucket = openBucket({ endpoint: '127.0.0.1:9', isInsecure: true, region: undefined, signal }, 'web-assets')
  await assert.rejects(bucket.exists(), {
    message: 'Get "http://127.0.0.1:9/web-assets/?location=": context deadline exceeded',
  })
})
