import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FieldError } from '../fault.ts'
import { allocateChanged, allocateNew, type NodePorts } from './node-ports.ts'

function portsWithout(taken: readonly number[]): NodePorts {
  const all = new Set(taken)
  let last = 31000
  return {
    next: () => ++last,
    take: (port) => (all.has(port) ? 'taken' : void all.add(port)),
  }
}

const cases = [
  { it: 'gives every port one', ports: [{ port: 80 }, { port: 81 }], want: [31001, 31002] },
  { it: 'lets protocols of a port share', ports: [{ port: 53 }, { port: 53, nodePort: 30053 }], want: [30053, 30053] },
  { it: 'refuses what another has', ports: [{ port: 80, nodePort: 30080 }], want: 'spec.ports[0].nodePort' },
  {
    it: 'refuses one for two ports',
    ports: [
      { port: 80, nodePort: 30001 },
      { port: 81, nodePort: 30001 },
    ],
    want: 'spec.ports[1].nodePort',
  },
  {
    it: 'respects what is asked where none are given',
    spec: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false },
    ports: [{ port: 80 }, { port: 81, nodePort: 30001 }],
    want: [undefined, 30001],
  },
  {
    it: 'keeps what the service had',
    old: { ports: [{ port: 80, nodePort: 30080 }] },
    ports: [{ port: 81, nodePort: 30080 }, { port: 82 }],
    want: [30080, 31001],
  },
]
for (const { it, spec = { type: 'NodePort' }, ports, old, want } of cases)
  test(`node ports: ${it}`, () => {
    const errors: FieldError[] = []
    const service = { ...spec, ports }
    if (old === undefined) allocateNew(service, portsWithout([30080]), errors)
    else allocateChanged(service, old, portsWithout([30080]), errors)
    const found = errors.length > 0 ? errors[0]?.field : ports.map((each: { nodePort?: number }) => each.nodePort)
    assert.deepEqual(found, want)
  })
