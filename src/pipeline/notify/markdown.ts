import type { Message } from './message.ts'
import { metadataOf } from './hook-request.ts'

/** A message as Markdown: Zulip, and comments on change requests. */
export function markdownOf(message: Message): string {
  const { kind, namespace, name } = message.involvedObject
  const mark = message.severity === 'error' ? '⚠️' : 'ℹ️'
  const lines = metadataOf(message)
    .filter(([key]) => key !== 'change_request')
    .map(([key, value]) => `* \`${key}\`: ${value}\n`)
  return `## Flux Status\n\n${mark} ${kind}/${namespace}/${name}\n\n${message.message}\n\nMetadata:\n${lines.join('')}`
}
