import { groupBy } from '../../lib/value/group-by.ts'
import type { Pin } from '../image/retention.ts'
import type { Delivery } from './delivery.ts'
import { splitImage } from './names.ts'
import { askedOf, type Ledger } from './ledger.ts'
import { newestFirst } from './query.ts'

/** A rollback is a revert of commits: so many deliveries back the image is still there. */
const DELIVERIES = 10

/**
 * The images of a registry that the record needs: what Git asks for, what is on its way, and the last deliveries of each service into each
 * environment, which a rollback goes back to.
 *
 * @param host the name that the registry has in manifests
 */
export function neededImages(ledger: Ledger, host: string): readonly Pin[] {
  const ofGit = askedOf(ledger).flatMap(({ namespace, name, images }) =>
    images.flatMap((image) => pinsOf(host, splitImage(image), `Git asks for it in ${namespace}/${name}`)),
  )
  const isNeeded = ({ image, state, endedAt }: Delivery): boolean =>
    image !== undefined && (state === 'done' || endedAt === undefined)
  const services = groupBy(
    [...ledger.deliveries.values()].filter(isNeeded),
    ({ environment, service }) => `${environment}/${service}`,
  )
  const delivered = [...services].flatMap(([key, deliveries]) =>
    lastImages(deliveries).flatMap(({ image = '', version, digest, endedAt }) =>
      pinsOf(
        host,
        { image, tag: version, digest },
        endedAt === undefined ? `on its way to ${key}` : `a rollback of ${key}`,
      ),
    ),
  )
  return [...ofGit, ...delivered]
}

/** Of the deliveries of a service into an environment the last that brought an image each; what is on its way counts for itself. */
export function lastImages(deliveries: readonly Delivery[]): readonly Delivery[] {
  const newest = deliveries.toSorted(newestFirst)
  const open = newest.filter(({ endedAt }) => endedAt === undefined)
  const ended = newest.filter(({ endedAt }) => endedAt !== undefined)
  const first = new Map(ended.map((one) => [`${one.image}:${one.version} ${one.digest}`, one] as const).reverse())
  const known = [...first.values()].sort(newestFirst)
  return [...open, ...known.slice(0, DELIVERIES)]
}

type Named = { readonly image: string; readonly tag: string; readonly digest: string | undefined }

function pinsOf(host: string, { image, tag, digest }: Named, by: string): readonly Pin[] {
  if (!image.startsWith(`${host}/`)) return []
  const repository = image.slice(host.length + 1)
  const versions = [digest, tag === '' && digest === undefined ? 'latest' : tag]
  return versions.flatMap((version) => (version === undefined || version === '' ? [] : [{ repository, version, by }]))
}
