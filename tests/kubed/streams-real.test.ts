import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/adapters/clock.ts'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import { startNode } from '../../src/agents/node/start.ts'
import { serveRegistryd } from '../../src/embedded/registryd/serve.ts'
import { controlPlaneBinary, startControlPlane } from '../lib/control-plane.ts'
import { pushImage } from '../support/node-image.ts'
import { chosenKubectls, runKubectl, whyNoPods } from '../support/run-kubectl.ts'
import { toolLayer } from '../support/tool-layer.ts'
import { LONG_MS } from '../support/wait.ts'

// The real API server reaches programs on our node: it speaks SPDY to it, whatever its client speaks.

const skip = whyNoPods() || (controlPlaneBinary() === undefined ? 'no control plane at hand' : false)

test('kubectl runs programs on our node through the real API server', { skip, timeout: LONG_MS }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-streams-real-'))
  const registryd = await serveRegistryd({ root: join(folder, 'registry'), port: 0 })
  const plane = await startControlPlane({ controllers: false })
  const client = clientFromKubeconfig(plane.kubeconfig)
  await pushImage(registryd.host, 'demo/tools', '1', [toolLayer()], { Cmd: ['sh'], WorkingDir: '/tmp' })
  const registry = { alias: 'registry.sluice.local', url: registryd.host }
  const at = { stateDir: join(folder, 'node'), name: 'node-1', driver: 'linux', registry } as const
  const node = await startNode({ client, clock: systemClock, ...at })
  t.after(async () => {
    await node.close({ stopPods: true })
    client.close()
    await plane.stop()
    await registryd.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const command = ['sh', '-c', 'while true; do sleep 1; done']
  const containers = [{ name: 'shell', image: 'registry.sluice.local/demo/tools:1', command }]
  const spec = { nodeName: 'node-1', terminationGracePeriodSeconds: 1, containers }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'shell', namespace: 'default' }, spec }
  await client.create(pod, { fieldManager: 'test' })
  const [first] = chosenKubectls()
  const kubectl = (path: string | undefined, words: string[], input?: string) =>
    runKubectl(path, plane.kubeconfig, words, input)
  assert.equal((await kubectl(first, ['wait', '--for=condition=Ready', 'pod/shell', '--timeout=120s'])).code, 0)
  for (const path of chosenKubectls()) {
    const script = 'wc -c; echo err >&2; exit 3'
    const words = ['exec', '-i', 'shell', '--', 'sh', '-c', script]
    const { code, stdout, stderr } = await kubectl(path, words, 'x'.repeat(300_000))
    assert.deepEqual([code, stdout, stderr], [3, '300000\n', 'err\ncommand terminated with exit code 3\n'], path)
  }
})
