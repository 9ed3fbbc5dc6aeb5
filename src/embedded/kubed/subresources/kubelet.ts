import { at, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import { Fault, notFound } from '../fault.ts'

/** Where the kubelet API of a node listens. */
export type Kubelet = { readonly host: string; readonly port: number }

/** The default of kube-apiserver's `--kubelet-preferred-address-types`. */
const PREFERRED = ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP']

/** Reads from a Node object where its kubelet API is. @throws Fault 404 without the node, 500 when it does not say */
export function kubeletOf(env: Environment, nodeName: string): Kubelet {
  const node = env.store.get('/nodes', '', nodeName)
  if (node === undefined) throw notFound({ group: '', kind: 'Node', plural: 'nodes' }, nodeName)
  const port = at(node, 'status', 'daemonEndpoints', 'kubeletEndpoint', 'Port')
  const addresses = objectsOf(at(node, 'status', 'addresses'))
  const [host = ''] = PREFERRED.flatMap((wanted) =>
    addresses.flatMap(({ type, address }) => (type === wanted ? stringOf(address) : [])),
  )
  if (typeof port !== 'number' || host === '')
    throw new Fault(500, 'InternalError', `node ${nodeName} does not say where its kubelet API is`)
  return { host, port }
}
