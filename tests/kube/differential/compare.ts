import { canonical, firstDifference } from './canonical.ts'
import type { Answer, Ask, KubeServer } from './server-pair.ts'

/** A request whose answers differ. */
export type Difference = { readonly what: string; readonly ask: Ask; readonly why: string }

/** Two servers that are asked the same. */
export type Pair = { readonly kubed: KubeServer; readonly real: KubeServer }

/** Sends a request to both; undefined when they answer alike. `OWN` in the body becomes what `own` says of each server. */
export async function compare(
  pair: Pair,
  what: string,
  ask: Ask,
  own?: { readonly kubed: string; readonly real: string },
): Promise<Difference | undefined> {
  const [ours, theirs] = await Promise.all([
    answerOf(pair.kubed, own === undefined ? ask : withOwn(ask, own.kubed)),
    answerOf(pair.real, own === undefined ? ask : withOwn(ask, own.real)),
  ])
  const why = told(ours, theirs)
  return why === undefined ? undefined : { what, ask, why }
}

/** A connection that breaks is an answer, too. */
const answerOf = (server: KubeServer, ask: Ask): Promise<Answer> =>
  server
    .send(ask)
    .catch((error: Error) => ({ code: 0, contentType: '', warnings: [], body: { message: error.message } }))

const withOwn = (ask: Ask, value: string): Ask => ({
  ...ask,
  body: JSON.parse(JSON.stringify(ask.body).replaceAll('OWN', value)) as unknown,
})

/** A difference of codes or messages says more than the first field. */
function told(ours: Answer, theirs: Answer): string | undefined {
  const [left, right] = [canonical(ours), canonical(theirs)]
  const why = firstDifference(left, right)
  if (why === undefined) return undefined
  const [said, wanted] = [messageOf(left), messageOf(right)]
  return said === wanted ? why : `\n    kubed: ${said}\n    real:  ${wanted}`
}

function messageOf(answer: unknown): string {
  const { code, body } = answer as { code: number; body: { message?: unknown } | undefined }
  return code > 0 && code < 400 ? String(code) : `${code} ${String(body?.message)}`
}

/** Asks all, some at a time. */
export async function compareAll<T>(
  items: readonly T[],
  one: (item: T) => Promise<Difference | undefined>,
): Promise<Difference[]> {
  const out: Difference[] = []
  const queue = items.entries()
  const work = async (): Promise<void> => {
    for (const [, item] of queue) {
      const found = await one(item)
      if (found !== undefined) out.push(found)
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return out
}
