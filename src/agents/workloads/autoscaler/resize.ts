import type { HttpKubeClient } from '../../../adapters/kube/client.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { FIELD_MANAGER } from '../write.ts'
import { messageIn, type Target } from './observe.ts'

/** As often as the original tries a size against other writers. */
const MOST_TRIES = 5

/** Sets the size of a target, again where somebody else wrote meanwhile; answers why it could not. */
export async function resize(
  client: Pick<HttpKubeClient, 'raw'>,
  { path, body }: Pick<Target, 'path' | 'body'>,
  replicas: number,
): Promise<string | undefined> {
  let scale = body
  for (let tries = 1; ; tries++) {
    const wanted = { ...scale, spec: { replicas } }
    const { status, text } = await client.raw('PUT', `${path}?fieldManager=${FIELD_MANAGER}`, wanted)
    if (status < 400) return undefined
    if (status !== 409 || tries === MOST_TRIES) return messageIn(text)
    const latest = await client.raw('GET', path)
    if (latest.status < 400) scale = JSON.parse(latest.text) as KubeObject
  }
}
