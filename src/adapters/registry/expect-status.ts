import type { IncomingMessage } from 'node:http'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { LIMITS } from '../../lib/oci/limits.ts'
import type { Repository } from '../../lib/oci/reference.ts'
import { readAnswer } from './http.ts'

/** The name of a repository for messages. */
export function nameOf({ host, repository }: Repository): string {
  return `${host}/${repository}`
}

/** Passes an answer with one of the statuses; throws for any other, with the registry's own words. */
export async function expectStatus(answer: IncomingMessage, good: readonly number[], what: string): Promise<void> {
  const status = answer.statusCode ?? 0
  if (good.includes(status)) return
  const body = await readAnswer(answer, LIMITS.answerBytes, what).catch(() => Buffer.alloc(0))
  const says = registryMessage(body)
  const message = `${what}: status ${status}${says === '' ? '' : `, ${says}`}`
  if (status === 401 || status === 403) throw new SluiceError('REGISTRY_DENIED', message, { retry: 'backoff' })
  throw new SluiceError('REGISTRY_REFUSED', message, { retry: 'backoff' })
}

function registryMessage(body: Buffer): string {
  try {
    const { errors } = JSON.parse(body.toString('utf8')) as { errors?: { code?: string; message?: string }[] }
    return (errors ?? [])
      .map(({ code, message }) => [code, message].filter(Boolean).join(': '))
      .join('; ')
      .slice(0, 500)
  } catch {
    return ''
  }
}
