import type { Ask, KubeServer } from './server-pair.ts'
import { mutationsOf } from './mutations.ts'
import type { Seed } from './seed.ts'
import { SEEDS } from './seeds.ts'
import { STATES } from './states.ts'

/** An object that stands on a server, as the server shows it. */
export type Live = { readonly path: string; readonly object: Readonly<Record<string, unknown>> }

/** A dry write to a standing object, of the object or of its status. */
export type UpdateAsk = { readonly type: 'update' | 'status'; readonly what: string; readonly ask: Ask }

const MERGE = 'application/merge-patch+json'
const PATCH = 'application/json-patch+json'

/** Kinds that would keep others from being made; they come last. */
const LIMITS = ['LimitRange', 'ResourceQuota']

/** Makes an object of every seed, brings some into a state (see STATES), and answers all as they stand. */
export async function prepareUpdates(server: KubeServer): Promise<readonly Live[]> {
  const isLimit = ({ object }: Seed): boolean => LIMITS.includes(String(object['kind']))
  const seeds = [...SEEDS, ...STATES]
  const out: Live[] = []
  const names = new Set<string>()
  for (const seed of [...seeds.filter((each) => !isLimit(each)), ...seeds.filter(isLimit)]) {
    const { metadata, kind } = seed.object as { readonly metadata: { readonly name: string }; readonly kind: string }
    // Two versions of a kind are one place.
    const name = names.has(`${kind} ${metadata.name}`) ? `${metadata.name}-other` : metadata.name
    names.add(`${kind} ${name}`)
    out.push(await stand(server, seed, name))
  }
  return out
}

async function stand(server: KubeServer, { path, object }: Seed, name: string): Promise<Live> {
  const { status, metadata, ...content } = object
  const body = { ...content, metadata: { ...(metadata as object), name } }
  const made = await server.send({ method: 'POST', path, body })
  if (made.code !== 201) throw new Error(`${path}: ${JSON.stringify(made.body)}`)
  const at = `${path}/${name}`
  if (status !== undefined) {
    const set = await server.send({ method: 'PATCH', path: `${at}/status`, contentType: MERGE, body: { status } })
    if (set.code !== 200) throw new Error(`${at}/status: ${JSON.stringify(set.body)}`)
  }
  return { path: at, object: (await server.send({ method: 'GET', path: at })).body as Live['object'] }
}

/** Every change of a standing object in one place, as a dry patch; and of its status, where it has one. */
export function updateAsks({ path, object }: Live): UpdateAsk[] {
  const { apiVersion, kind, metadata } = object as Record<string, unknown> & { metadata: { name: string } }
  const told = (what: string): string => `${String(apiVersion)} ${String(kind)}/${metadata.name} ${what}`
  return mutationsOf(object).map(({ what, patch }) => {
    const isStatus = what.startsWith('status')
    const at = `${path}${isStatus ? '/status' : ''}?dryRun=All&fieldManager=changer`
    return {
      type: isStatus ? 'status' : 'update',
      what: told(what),
      ask: { method: 'PATCH', path: at, contentType: PATCH, body: patch },
    }
  })
}
