import { SluiceError } from '../../lib/error/sluice-error.ts'
import { read } from '../../lib/kube/read.ts'
import { findLogin } from '../../lib/oci/docker-config.ts'
import type { Repository } from '../../lib/oci/reference.ts'
import type { Credentials } from './session.ts'

/**
 * The login for an image in a configuration of docker (`.dockerconfigjson`); undefined when it does not speak of it.
 *
 * @throws SluiceError OBJECT_INVALID when the text is not JSON
 */
export function dockerLogin(text: string, image: Repository): Credentials | undefined {
  return findLogin(read(parse(text, '.dockerconfigjson'), 'auths'), image)
}

/** The same in the older form (`.dockercfg`), which holds the hosts alone. @throws SluiceError OBJECT_INVALID */
export function oldDockerLogin(text: string, image: Repository): Credentials | undefined {
  return findLogin(parse(text, '.dockercfg'), image)
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SluiceError('OBJECT_INVALID', `the Secret’s ${name} is not JSON`)
  }
}
