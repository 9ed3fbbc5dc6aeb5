import assert from 'node:assert/strict'
import { test } from 'node:test'
import { userOf } from './run-as.ts'
import type { Container, Pod, SecurityContext } from './shapes.ts'

const pod = (securityContext: SecurityContext = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-1', namespace: 'shop', uid: 'u1' },
  spec: { containers: [], securityContext },
})
const whose = '(pod: "web-1_shop(u1)", container: web)'
const nonRoot = { runAsNonRoot: true }

const cases: { it: string; of?: SecurityContext; own?: SecurityContext; image: string; want: string | Error }[] = [
  { it: 'the user of the image', image: 'node:7', want: 'node:7' },
  { it: 'the user of the pod', of: { runAsUser: 5 }, image: 'node', want: '5' },
  { it: 'its own user', of: { runAsUser: 5 }, own: { runAsUser: 6, runAsGroup: 7 }, image: 'node', want: '6:7' },
  { it: 'the user of the image in another group', own: { runAsGroup: 7 }, image: 'node:3', want: 'node:7' },
  { it: 'a user who is not root', of: nonRoot, image: '1000:0', want: '1000:0' },
  {
    it: 'nobody who is root by the image',
    of: nonRoot,
    image: '',
    want: new Error(`container has runAsNonRoot and image will run as root ${whose}`),
  },
  {
    it: 'nobody who may be root',
    of: nonRoot,
    image: 'node',
    want: new Error(
      `container has runAsNonRoot and image has non-numeric user (node), cannot verify user is non-root ${whose}`,
    ),
  },
  {
    it: 'nobody who is root by its own word',
    of: nonRoot,
    own: { runAsUser: 0 },
    image: '1000',
    want: new Error(`container's runAsUser breaks non-root policy ${whose}`),
  },
]
for (const { it, of, own, image, want } of cases)
  test(`a container runs as ${it}`, () => {
    const container: Container = { name: 'web', image: 'web:1', ...(own && { securityContext: own }) }
    if (want instanceof Error) assert.throws(() => userOf(pod(of), container, image), { message: want.message })
    else assert.equal(userOf(pod(of), container, image), want)
  })
