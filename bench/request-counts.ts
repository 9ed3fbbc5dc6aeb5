import type { KubeClient } from '../src/adapters/kube/types.ts'

/** What an API server was asked to write, as its own counters have it. */
export type RequestCounts = {
  /** Server-side applies that were carried out. */
  readonly applies: number
  /** Server-side applies that were only rehearsed. */
  readonly rehearsals: number
  /** Writes of a Kustomization's status. */
  readonly statusWrites: number
  readonly events: number
}

/** Reads the counters of an API server, from its start on. */
export async function readRequestCounts(client: KubeClient): Promise<RequestCounts> {
  const { text } = await client.raw('GET', '/metrics')
  const lines = text.split('\n').flatMap((line) => {
    const [, labels, value] = /^apiserver_request_total\{(.*)\} (\S+)$/.exec(line) ?? []
    return labels === undefined ? [] : [{ labels, value: Number(value) }]
  })
  const sum = (...wanted: readonly string[]): number =>
    lines
      .filter(({ labels }) => wanted.every((label) => labels.includes(label)))
      .reduce((total, { value }) => total + value, 0)
  return {
    applies: sum('verb="APPLY"', 'dry_run=""', 'code="20'),
    rehearsals: sum('verb="APPLY"', 'dry_run="All"'),
    statusWrites: sum('verb="PATCH"', 'resource="kustomizations"', 'subresource="status"'),
    events: sum('verb="POST"', 'resource="events"'),
  }
}

/** What was counted between two readings. */
export function since(before: RequestCounts, after: RequestCounts): RequestCounts {
  return {
    applies: after.applies - before.applies,
    rehearsals: after.rehearsals - before.rehearsals,
    statusWrites: after.statusWrites - before.statusWrites,
    events: after.events - before.events,
  }
}
