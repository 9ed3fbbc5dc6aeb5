import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Conversation, HookAnswer, HookRequest } from '../../pipeline/notify/hook-request.ts'
import { type GuardOptions, guardedRequest } from '../net/guarded-request.ts'

/** How to send. */
export type SendOptions = GuardOptions & { readonly userAgent: string }

/**
 * Carries a conversation with a receiver out.
 *
 * @throws SluiceError NOTIFY_FAILED (retry: backoff) when something is not taken, NOTIFY_ADDRESS when an address is not allowed, and what the conversation throws
 */
export async function hold(conversation: Conversation, options: SendOptions): Promise<void> {
  let said = conversation.next()
  while (said.done !== true) said = conversation.next(await sendRequest(said.value, options))
}

async function sendRequest(hook: HookRequest, options: SendOptions): Promise<HookAnswer> {
  const headers = { 'user-agent': options.userAgent, ...hook.headers }
  const answer = await guardedRequest({ ...hook, headers }, options)
  const { status } = answer
  if ((status >= 200 && status <= 299) || hook.alsoTaken?.includes(status)) return answer
  throw new SluiceError('NOTIFY_FAILED', `failed to execute request: request failed with status code ${status}`, {
    retry: 'backoff',
  })
}
