import type { IncomingMessage } from 'node:http'
import { parseRequestTarget } from '../../../lib/net/request-target.ts'
import type { ContainerId, Driver } from '../driver.ts'
import { parseCommandOptions, type CommandOptions, type CommandStreams, type Upgraded } from './command-streams.ts'
import { servePortForward } from './port-forward.ts'
import { carry } from './remote-command.ts'
import { spdyCommand } from './spdy-command.ts'
import { agree, refuse } from './upgrade.ts'
import { COMMAND_PROTOCOLS, webSocketCommand } from './websocket-command.ts'

/** What streams lead to: the containers of the node. */
export type StreamTargets = {
  readonly driver: () => Driver
  /** A container that runs, or why there is none. */
  readonly container: (namespace: string, pod: string, container: string) => Target | string
  /** The uid of a pod that runs, or why there is none. */
  readonly pod: (namespace: string, pod: string) => { readonly uid: string } | string
}

/** A container that runs. */
export type Target = { readonly id: ContainerId; readonly tty: boolean }

const SPDY_PROTOCOLS = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io', '']

/** What a request to the kubelet API names. */
export type Asked = { readonly segments: readonly string[]; readonly query: URLSearchParams }

/** Reads the path and query of a request; undefined when they make no sense. */
export function parseTarget(target: string | undefined): Asked | undefined {
  const url = parseRequestTarget(target)
  if (url === undefined) return undefined
  try {
    return { segments: url.pathname.slice(1).split('/').map(decodeURIComponent), query: url.searchParams }
  } catch {
    return undefined
  }
}

/** Serves `/exec`, `/attach` and `/portForward` on a connection that asks to be upgraded, as a kubelet does. */
export async function serveStream(
  targets: StreamTargets,
  { segments, query }: Asked,
  request: IncomingMessage,
  upgraded: Upgraded,
): Promise<void> {
  const { socket } = upgraded
  const [verb, namespace = '', pod = '', container = ''] = segments
  if (verb === 'portForward') {
    const found = targets.pod(namespace, pod)
    if (typeof found === 'string') return refuse(socket, '404 Not Found', found)
    return servePortForward((port) => targets.driver().forward(found.uid, port), query, request, upgraded)
  }
  if (verb !== 'exec' && verb !== 'attach') return refuse(socket, '404 Not Found', '404 page not found')
  const options = parseCommandOptions(query)
  if (typeof options === 'string') return refuse(socket, '400 Bad Request', options)
  const found = targets.container(namespace, pod, container)
  if (typeof found === 'string') return refuse(socket, '500 Internal Server Error', found)
  if (verb === 'attach') {
    // the terminal of a program that runs is what it is, whatever is asked for
    const wanted = { ...options, tty: found.tty, stderr: options.stderr && !found.tty }
    const streams = await openStreams(request, upgraded, wanted)
    return streams && carry(streams, () => targets.driver().attach(found.id, wanted), undefined)
  }
  const command = query.getAll('command')
  if (command.length === 0) return refuse(socket, '400 Bad Request', 'you must specify a command')
  const streams = await openStreams(request, upgraded, options)
  return streams && carry(streams, () => targets.driver().open(found.id, { ...options, command }), command)
}

async function openStreams(
  request: IncomingMessage,
  upgraded: Upgraded,
  options: CommandOptions,
): Promise<CommandStreams | undefined> {
  const agreed = agree(request, upgraded.socket, { spdy: SPDY_PROTOCOLS, websocket: COMMAND_PROTOCOLS })
  if (agreed === undefined) return undefined
  if (agreed.carrier === 'websocket') return webSocketCommand(upgraded, options, agreed.protocol)
  return spdyCommand(upgraded, options, agreed.protocol)
}
