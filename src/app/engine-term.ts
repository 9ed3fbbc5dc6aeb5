import { clientFromKubeconfig, type HttpKubeClient } from '../adapters/kube/client.ts'

/**
 * The connection of one engine. When it has ended, what was cut off and is at work still writes nothing any more: the next engine may lead by
 * then, here or elsewhere.
 *
 * @param isLeading asked before every write
 */
export function openTerm(
  kubeconfig: string,
  isLeading: () => boolean,
): { readonly client: HttpKubeClient; readonly end: () => void } {
  let isOver = false
  const client = clientFromKubeconfig(kubeconfig, { mayWrite: () => !isOver && isLeading() })
  return {
    client,
    end() {
      isOver = true
      client.close()
    },
  }
}
