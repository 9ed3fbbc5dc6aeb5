import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Conversation, HookAnswer, HookRequest, NatsPublish } from '../../pipeline/notify/hook-request.ts'
import { type GuardOptions, guardedRequest } from '../net/guarded-request.ts'
import { publishToNats } from './nats.ts'

/** How to send. */
export type SendOptions = GuardOptions & { readonly userAgent: string }

/**
 * Carries a conversation with a receiver out.
 *
 * @throws SluiceError NOTIFY_FAILED (retry: backoff) when something is not taken, NOTIFY_ADDRESS when an address is not allowed, and what the conversation throws
 */
export async function hold(conversation: Conversation, options: SendOptions): Promise<void> {
  let said = conversation.next()
  while (said.done !== true) said = conversation.next(await say(said.value, options))
}

async function say(order: HookRequest | NatsPublish, options: SendOptions): Promise<HookAnswer> {
  if (!('protocol' in order)) return sendRequest(order, options)
  await publishToNats(order, options)
  return { status: 200, text: '' }
}

async function sendRequest(hook: HookRequest, options: SendOptions): Promise<HookAnswer> {
  const headers = { 'user-agent': options.userAgent, ...hook.headers }
  const answer = await guardedRequest({ ...hook, headers }, options)
  const { status } = answer
  if ((status >= 200 && status <= 299) || hook.alsoTaken?.includes(status)) return answer
  // Flux asks again after these only; we go on in any case, for tokens and addresses are mended.
  const isPassing = status === 429 || (status >= 500 && status !== 501)
  const doing = isPassing ? 'failed to execute request' : 'request failed'
  throw new SluiceError('NOTIFY_FAILED', `${doing}: request failed with status code ${status}`, {
    retry: isPassing ? 'backoff' : 'spec',
  })
}
