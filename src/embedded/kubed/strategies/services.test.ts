import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { settleService } from './services.ts'

/** What the real server 1.37 keeps of the spec that was sent. */
const cases: { it: string; before: JsonObject; sent: JsonObject; want: JsonObject }[] = [
  {
    it: 'loses the policy of outside traffic with its outside addresses',
    before: { type: 'ClusterIP', externalIPs: ['1.2.3.4'], externalTrafficPolicy: 'Cluster' },
    sent: { type: 'ClusterIP', externalTrafficPolicy: 'Cluster' },
    want: { type: 'ClusterIP' },
  },
  {
    it: 'keeps it as long as it has such addresses',
    before: { type: 'NodePort', externalTrafficPolicy: 'Cluster' },
    sent: { type: 'ClusterIP', externalIPs: ['1.2.3.4'], externalTrafficPolicy: 'Cluster' },
    want: { type: 'ClusterIP', externalIPs: ['1.2.3.4'], externalTrafficPolicy: 'Cluster' },
  },
  {
    it: 'keeps one that is changed by the way, which is refused then',
    before: { type: 'NodePort', externalTrafficPolicy: 'Cluster' },
    sent: { type: 'ClusterIP', externalTrafficPolicy: 'Local' },
    want: { type: 'ClusterIP', externalTrafficPolicy: 'Local' },
  },
  {
    it: 'loses the ports of its nodes together',
    before: { type: 'NodePort', ports: [{ nodePort: 30001 }, { nodePort: 30002 }] },
    sent: { type: 'ClusterIP', ports: [{ port: 1, nodePort: 30002 }, { port: 2 }] },
    want: { type: 'ClusterIP', ports: [{ port: 1 }, { port: 2 }] },
  },
  {
    it: 'keeps all of them where one is new, which is refused then',
    before: { type: 'NodePort', ports: [{ nodePort: 30001 }, { nodePort: 30002 }] },
    sent: { type: 'ClusterIP', ports: [{ nodePort: 30001 }, { nodePort: 30003 }] },
    want: { type: 'ClusterIP', ports: [{ nodePort: 30001 }, { nodePort: 30003 }] },
  },
]
for (const { it, before, sent, want } of cases)
  test(`a service ${it}`, () => {
    const service: JsonObject = { spec: structuredClone(sent) }
    settleService(service, { spec: before })
    assert.deepEqual(service.spec, want)
  })
