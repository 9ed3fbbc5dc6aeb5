import { createRegistryClient, type RegistryClient } from '../../../adapters/registry/client.ts'
import { buildImage } from '../../builder/build.ts'
import { type ImageRow, inspectImage, listImages, pullImage, pushImage, tagImage } from '../../builder/images.ts'
import { type ImageStore, openImageStore, referenceFrom } from '../../builder/store.ts'

/** A registry as jobs name it and as it is reached. */
export type RegistryPlace = {
  /** The host in image names: `registry.sluice.local`. */
  readonly alias: string
  /** Where it listens: `127.0.0.1:5000`. */
  readonly host: string
  readonly url: string
}

/** An image that a job pushed. */
export type PushedImage = { readonly image: string; readonly tag: string; readonly digest: string }

/** Who hears of pushes: of each before its tag moves, which waits for the answer, and once it has moved. */
export type PushWatcher = {
  readonly onPushing: (image: PushedImage) => void | Promise<void>
  readonly onPushed: (image: PushedImage) => void
}

/** What a job may do with images; names are mapped, logins are the job's own. */
export type JobImages = {
  readonly build: (order: BuildOrder) => Promise<{ readonly imageId: string }>
  readonly tag: (source: string, target: string) => Promise<void>
  readonly push: (name: string, log: (line: string) => void, signal: AbortSignal) => Promise<PushedImage>
  readonly pull: (name: string, signal: AbortSignal) => Promise<{ readonly digest: string }>
  readonly list: () => Promise<readonly Pick<ImageRow, 'name' | 'imageId' | 'sizeBytes'>[]>
  readonly inspect: (name: string) => Promise<ImageSeen>
  readonly login: (host: string, username: string, password: string) => void
  readonly logout: (host: string) => void
  readonly close: () => void
}

/** What `docker inspect` shows of an image. */
export type ImageSeen = {
  readonly imageId: string
  readonly manifestDigest: string
  readonly names: readonly string[]
  readonly config: {
    readonly architecture?: string
    readonly os?: string
    readonly created?: string
    readonly config?: unknown
    readonly rootfs?: unknown
  }
  readonly manifest: { readonly layers: readonly { readonly size: number }[] }
}

/** What `docker build` was asked for. */
export type BuildOrder = {
  readonly contextDir: string
  readonly dockerfile?: string
  readonly tags: readonly string[]
  readonly buildArgs: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly target?: string
  readonly noCache: boolean
  readonly pull: boolean
  readonly network: 'none' | 'host'
  readonly log: (line: string) => void
  readonly signal: AbortSignal
}

/** Opens what a job sees of the image store and the registries. */
export function openJobImages(root: string, registry: RegistryPlace, watcher: PushWatcher): JobImages {
  const store: ImageStore = openImageStore(root)
  const logins = new Map<string, { readonly username: string; readonly password: string }>()
  const client: RegistryClient = createRegistryClient({
    aliases: { [registry.alias]: registry.host },
    credentials: (host) => logins.get(host),
  })
  // The procedures' workflows write `registry/name`, which docker would look for on its hub.
  const named = (name: string): string => name.replace(/^registry\//, `${registry.alias}/`)
  return {
    build({ tags, dockerfile, target, ...order }) {
      order.log('built by the builder of sluice')
      return buildImage({
        ...order,
        ...(dockerfile === undefined ? {} : { dockerfile }),
        ...(target === undefined ? {} : { target }),
        tags: tags.map(named),
        store,
        registry: client,
      })
    },
    tag: (source, target) => tagImage(store, named(source), named(target)),
    async push(name, log, signal) {
      const { host, repository, tag } = referenceFrom(named(name))
      const place = { image: `${host}/${repository}`, tag: tag ?? 'latest' }
      const beforeTag = (digest: string) => watcher.onPushing({ ...place, digest })
      const { digest } = await pushImage(store, named(name), client, { log, signal, beforeTag })
      watcher.onPushed({ ...place, digest })
      return { ...place, digest }
    },
    pull: (name, signal) => pullImage(store, named(name), client, { signal }),
    list: () => listImages(store),
    inspect: (name) => inspectImage(store, named(name)),
    login: (host, username, password) => void logins.set(host, { username, password }),
    logout: (host) => void logins.delete(host),
    close: () => client.close(),
  }
}
