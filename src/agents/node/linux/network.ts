import { readlinkSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KeeperClient } from '../keeper/client.ts'
import { TOOL_ENV } from './launch.ts'

/** Addresses of the node's own network, which exists only inside its network namespace. */
export const NETWORK = {
  pods: '10.42.0.0/24',
  gateway: '10.42.0.1',
  services: '10.96.0.0/16',
  dns: '10.96.0.10',
} as const

const BRIDGE = 'sluice0'

/** Makes the bridge and the Services' addresses in the keeper's network namespace. @throws SluiceError NODE_DRIVER */
export async function makeBridge(keeper: KeeperClient): Promise<void> {
  const lines = [
    'link set lo up',
    // a fixed address: else it follows that of its ports, and pods would ask a neighbour that is no more
    `link add ${BRIDGE} address 02:42:0a:2a:00:01 type bridge`,
    `addr add ${NETWORK.gateway}/24 dev ${BRIDGE}`,
    `link set ${BRIDGE} up`,
    `route add local ${NETWORK.services} dev lo`,
  ]
  await ip(keeper, ['ip', '-batch', '-'], lines, 'the network of the pods cannot be made')
}

/** Ties the network namespace of process `pid` to the bridge; its address ends in `octet`. @throws SluiceError NODE_DRIVER */
export async function joinBridge(keeper: KeeperClient, pid: number, octet: number): Promise<string> {
  const address = `10.42.0.${octet}`
  const mac = `02:42:0a:2a:00:${octet.toString(16).padStart(2, '0')}`
  const outside = [
    `link add veth${octet} type veth peer name eth0 address ${mac} netns ${pid}`,
    `link set veth${octet} master ${BRIDGE} up`,
  ]
  const inside = [
    'link set lo up',
    `addr add ${address}/24 dev eth0`,
    'link set eth0 up',
    `route add default via ${NETWORK.gateway}`,
  ]
  const what = `the pod's address ${address} cannot be made`
  await ip(keeper, ['ip', '-batch', '-'], outside, what)
  await ip(keeper, ['nsenter', '-t', String(pid), '-n', '--', 'ip', '-batch', '-'], inside, what)
  return address
}

/** Whether {@link joinBridge} was done to its last step for process `pid`; a server that was killed in it left half a network. */
export async function hasJoined(keeper: KeeperClient, pid: number): Promise<boolean> {
  const argv = ['nsenter', '-t', String(pid), '-n', '--', 'ip', 'route', 'show', 'default']
  const { code, output } = await keeper.exec({ argv, env: TOOL_ENV, timeoutMs: 10_000 })
  return code === 0 && output.includes(NETWORK.gateway)
}

/** Makes addresses of Services outside the usual range the keeper's own; `known` remembers which. */
export async function addRoutes(keeper: KeeperClient, addresses: readonly string[], known: Set<string>): Promise<void> {
  const fresh = addresses.filter(
    (address) => isIPv4(address) && !/^(10\.96|10\.42\.0|127)\./.test(address) && !known.has(address),
  )
  if (fresh.length === 0) return
  const lines = fresh.map((address) => `route replace local ${address}/32 dev lo`)
  await ip(keeper, ['ip', '-batch', '-'], lines, 'addresses of Services cannot be made')
  for (const address of fresh) known.add(address)
}

/** Waits until a process that was just started is in a network namespace of its own. */
export async function waitForNamespace(pid: number, other: number): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    try {
      if (readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync(`/proc/${other}/ns/net`)) return
    } catch {
      // not there yet, or not readable at this moment of its start
    }
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
  throw new SluiceError('NODE_DRIVER', 'a process does not reach its network namespace', { retry: 'backoff' })
}

async function ip(keeper: KeeperClient, argv: string[], lines: readonly string[], what: string): Promise<void> {
  const { code, output } = await keeper.exec({
    argv,
    env: TOOL_ENV,
    input: `${lines.join('\n')}\n`,
    timeoutMs: 10_000,
  })
  if (code !== 0)
    throw new SluiceError('NODE_DRIVER', `${what}: ${output.trim().split('\n')[0] ?? ''}`, { retry: 'backoff' })
}
