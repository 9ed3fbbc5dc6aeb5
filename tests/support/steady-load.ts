const EVERY_MS = 5
/** Who goes on asking a machine that comes not to answering takes from it what it answers with: nothing but that would be measured. */
const MOST_AT_ONCE = 50

/** What became of the requests. */
export type Answered = {
  readonly sent: number
  readonly answers: readonly string[]
  readonly failures: readonly string[]
}

/** Asks 200 times a second, as far as a few at a time are answered so fast; `stop` waits for those under way. */
export function askSteadily(url: string | URL): { readonly stop: () => Promise<Answered> } {
  const answers: string[] = []
  const failures: string[] = []
  const open = new Set<Promise<void>>()
  let sent = 0
  const ask = async (): Promise<void> => {
    try {
      const response = await fetch(url)
      const text = await response.text()
      if (response.ok) answers.push(text)
      else failures.push(`HTTP ${response.status} ${text}`)
    } catch (error) {
      failures.push(String(error instanceof Error ? (error.cause ?? error) : error))
    }
  }
  const timer = setInterval(() => {
    if (open.size >= MOST_AT_ONCE) return
    sent++
    const one = ask().finally(() => open.delete(one))
    open.add(one)
  }, EVERY_MS)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(open)
      return { sent, answers, failures }
    },
  }
}
