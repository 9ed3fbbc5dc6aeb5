import type { Clock } from '../../../adapters/clock.ts'
import type { KubeClient } from '../../../adapters/kube/types.ts'
import { describeError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000

/** Asks for the Node as the API has it now, with growing pauses until it is there; undefined when `isOver` says that nobody wants it any more. */
export async function askNode(
  {
    client,
    clock,
    name,
    log,
  }: {
    readonly client: Pick<KubeClient, 'get'>
    readonly clock: Pick<Clock, 'after'>
    readonly name: string
    readonly log: (line: string) => void
  },
  isOver: () => boolean,
): Promise<KubeObject | undefined> {
  let told: string | undefined
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const { node, why } = await client.get({ apiVersion: 'v1', kind: 'Node', namespace: '', name }).then(
      (found) => ({ node: found, why: 'there is no such Node' }),
      (error: unknown) => ({ node: undefined, why: describeError(error) }),
    )
    if (isOver()) return undefined
    if (node !== undefined) return node
    if (why !== told) log(`node ${name}: pods wait until the Node can be read: ${why}`)
    told = why
    await new Promise<void>((resolve) => clock.after(pauseMs, resolve))
  }
}
