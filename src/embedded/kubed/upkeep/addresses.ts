import { listOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import { type Obj, specOf } from '../object.ts'
import { putOwn } from './put-own.ts'

const KEY = 'networking.k8s.io/ipaddresses'

/** Keeps an IPAddress of every address that a Service has, and no other. */
export function keepAddresses(env: Environment, service: Obj | undefined, before: Obj | undefined): void {
  const [has, had] = [addressesOf(service), addressesOf(before)]
  for (const address of had) {
    const found = has.includes(address) ? undefined : env.store.get(KEY, '', address)
    if (found !== undefined) env.store.remove(KEY, { ...found, metadata: { ...found.metadata } })
  }
  if (service === undefined) return
  const { namespace = '', name } = service.metadata
  for (const address of has) if (!had.includes(address)) putOwn(env, KEY, addressOf(address, namespace, name))
}

/** An IPAddress that somebody deletes comes back as long as its Service has the address: nobody else is to be given it. @see k8s.io/kubernetes/pkg/registry/core/service/ipallocator/controller */
export function giveBackAddress(env: Environment, lost: Obj): void {
  const { name: address } = lost.metadata
  const { namespace, name } = objectOf(specOf(lost).parentRef)
  const service = env.store.get('/services', stringOf(namespace), stringOf(name))
  if (!addressesOf(service).includes(address) || env.store.get(KEY, '', address) !== undefined) return
  putOwn(env, KEY, addressOf(address, stringOf(namespace), stringOf(name)))
}

const addressesOf = (service: Obj | undefined): string[] =>
  service === undefined
    ? []
    : listOf(specOf(service).clusterIPs)
        .map(stringOf)
        .filter((address) => address !== '' && address !== 'None')

function addressOf(address: string, namespace: string, name: string): Obj {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: address,
      labels: {
        'ipaddress.kubernetes.io/ip-family': address.includes(':') ? 'IPv6' : 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
    },
    spec: { parentRef: { resource: 'services', namespace, name } },
  }
}
