/**
 * A test's `timeout`. Everything waits for something that is seen: only what will never come costs so long, and a machine that does much
 * else besides may take ten times what a quiet one takes.
 */
export const LONG_MS = 900_000
/** How long what is waited for may take. */
export const PATIENCE_MS = 480_000

/**
 * Waits until `look` answers something true, and asks the less often the longer that takes.
 *
 * @param shown what explains why it did not come
 * @throws Error after eight minutes
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  shown: () => string | Promise<string> = () => '',
): Promise<NonNullable<T>> {
  const deadline = Date.now() + PATIENCE_MS
  for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 1.2, 400)) {
    const answer = await look()
    if (answer) return answer
    if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what}\n${await shown()}`)
    await new Promise((again) => setTimeout(again, pauseMs))
  }
}
