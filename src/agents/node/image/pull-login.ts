import type { KubeClient } from '../../../adapters/kube/types.ts'
import { dockerLogin, oldDockerLogin } from '../../../adapters/registry/docker-login.ts'
import type { Credentials } from '../../../adapters/registry/session.ts'
import { readText } from '../../../lib/kube/read.ts'
import type { Repository } from '../../../lib/oci/reference.ts'

/** What a pod's pull secrets say of an image, and which of them are not there. */
export type PullLogin = { readonly login: Credentials | undefined; readonly missing: readonly string[] }

/** Reads `imagePullSecrets`: the first that speaks of the image counts. @throws SluiceError OBJECT_INVALID when one is not JSON; ApiError */
export async function pullLogin(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  secrets: readonly { readonly name?: string }[],
  image: Repository,
): Promise<PullLogin> {
  const missing: string[] = []
  let login: Credentials | undefined
  for (const { name = '' } of secrets) {
    if (name === '' || login !== undefined) continue
    const secret = await client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name })
    if (secret === undefined) {
      missing.push(name)
      continue
    }
    const text = (key: string): string => Buffer.from(readText(secret, 'data', key), 'base64').toString('utf8')
    const [config, old] = [text('.dockerconfigjson'), text('.dockercfg')]
    login = config === '' ? undefined : dockerLogin(config, image)
    if (old !== '') login ??= oldDockerLogin(old, image)
  }
  return { login, missing }
}
