import { remember } from '../../../lib/value/remember.ts'

type Port = { readonly name?: string; readonly port: number; readonly protocol: string; readonly appProtocol?: string }

const OFFSET = 0x6c62272e07bb014262b821756295c58dn
const PRIME = 0x1000000000000000000013bn
const MASK = (1n << 128n) - 1n

/**
 * Ports of an EndpointSlice in the order in which Kubernetes writes them: by the FNV-1a hash (128 bits) of each port as Go prints it.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/endpointslice/util/controller_utils.go `portsInOrder`
 */
export function orderSlicePorts<Each extends Port>(ports: readonly Each[]): readonly Each[] {
  return byHash(ports, ({ name = '', protocol, port, appProtocol }) => {
    const fields = `Name:(*string)${name} Protocol:(*v1.Protocol)${protocol} Port:(*int32)${port}`
    return `(v1.EndpointPort){${fields} AppProtocol:(*string)${appProtocol ?? '<nil>'}}`
  })
}

/** The same for a subset of an Endpoints object, whose ports are another Go type. */
export function orderSubsetPorts<Each extends Port>(ports: readonly Each[]): readonly Each[] {
  return byHash(ports, ({ name = '', port, protocol, appProtocol }) => {
    const fields = `Name:(string)${name} Port:(int32)${port} Protocol:(v1.Protocol)${protocol}`
    return `(v1.EndpointPort){${fields} AppProtocol:(*string)${appProtocol ?? '<nil>'}}`
  })
}

function byHash<Each>(ports: readonly Each[], print: (port: Each) => string): readonly Each[] {
  if (ports.length < 2) return ports
  return ports
    .map((port) => ({ port, hash: hashOf(print(port)) }))
    .sort((a, b) => (a.hash < b.hash ? -1 : 1))
    .map(({ port }) => port)
}

/** Few texts come again and again: every pod of a Service has the same ports. */
const hashOf = remember(1000, (text) => {
  let hash = OFFSET
  for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * PRIME) & MASK
  return hash
})
