import type { Delivery } from './delivery.ts'

/**
 * All deliveries by id, with those at hand that facts ask for: folding a long record must not look at all of it again for each fact.
 *
 * Whatever it answers stands in the order in which deliveries were begun.
 */
export class Deliveries extends Map<string, Delivery> {
  readonly #places = new Map<string, number>()
  readonly #open = new Set<string>()
  readonly #openOf = new Map<string, Set<string>>()
  readonly #byKey = new Map<string, Set<string>>()

  override set(id: string, delivery: Delivery): this {
    if (!this.has(id)) this.#places.set(id, this.#places.size)
    this.#noteOpen(id, delivery)
    for (const key of keysOf(delivery)) {
      const ids = this.#byKey.get(key)
      if (ids === undefined) this.#byKey.set(key, new Set([id]))
      else ids.add(id)
    }
    return super.set(id, delivery)
  }

  /** Those that have not ended. */
  open(): readonly Delivery[] {
    return this.#inOrder(this.#open)
  }

  /** Those of one service in one environment that have not ended. */
  openOf({ namespace, name }: { readonly namespace: string; readonly name: string }): readonly Delivery[] {
    return this.#inOrder(this.#openOf.get(keyOfPlace(namespace, name)) ?? [])
  }

  ofCommit(commit: string): readonly Delivery[] {
    return this.#of(keyOfCommit(commit)).filter((each) => each.commit === commit)
  }

  ofRun(runId: string): readonly Delivery[] {
    return this.#of(keyOfRun(runId)).filter((each) => each.runId === runId)
  }

  ofImage(image: string, tag: string): readonly Delivery[] {
    return this.#of(keyOfImage(image, tag)).filter((each) => each.image === image && each.version === tag)
  }

  /** All of a service in an environment. */
  ofService(environment: string, service: string): readonly Delivery[] {
    const isIt = (each: Delivery): boolean => each.environment === environment && each.service === service
    return this.#of(keyOfPlace(environment, service)).filter(isIt)
  }

  /** Its workload, and so its service, is known from the build on. */
  #noteOpen(id: string, delivery: Delivery): void {
    const before = this.get(id)
    if (before !== undefined) this.#openOf.get(placeOf(before))?.delete(id)
    if (delivery.endedAt !== undefined) return void this.#open.delete(id)
    this.#open.add(id)
    const place = placeOf(delivery)
    const there = this.#openOf.get(place)
    if (there === undefined) this.#openOf.set(place, new Set([id]))
    else there.add(id)
  }

  #of(key: string): readonly Delivery[] {
    return this.#inOrder(this.#byKey.get(key) ?? [])
  }

  #inOrder(ids: Iterable<string>): readonly Delivery[] {
    const place = (id: string): number => this.#places.get(id) ?? 0
    return [...ids].sort((a, b) => place(a) - place(b)).flatMap((id) => this.get(id) ?? [])
  }
}

const keyOfPlace = (namespace: string, name: string): string => `${namespace}/${name}`
const placeOf = ({ environment, service }: Delivery): string => keyOfPlace(environment, service)
const keyOfCommit = (commit: string): string => `commit ${commit}`
const keyOfRun = (runId: string): string => `run ${runId}`
const keyOfImage = (image: string, tag: string): string => `image ${image}:${tag}`

/** What a delivery is asked for by; it may have been asked for by something else before. */
function keysOf(delivery: Delivery): readonly string[] {
  const { commit, runId, image, version } = delivery
  const keys = [placeOf(delivery), keyOfCommit(commit)]
  if (runId !== undefined) keys.push(keyOfRun(runId))
  if (image !== undefined) keys.push(keyOfImage(image, version))
  return keys
}
