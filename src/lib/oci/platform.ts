import type { Descriptor, IndexManifest, Platform } from './types.ts'

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', arm64: 'arm64', arm: 'arm' }

/** The platform of a Linux container on a machine whose Node calls its processor `arch`. */
export function linuxPlatform(arch: string): Platform {
  return { os: 'linux', architecture: ARCHITECTURES[arch] ?? arch }
}

/** Picks the image of an index for a platform; an entry without a platform serves when it is the only image. */
export function selectPlatform(index: IndexManifest, wanted: Platform): Descriptor | undefined {
  const images = index.manifests.filter(({ platform }) => platform?.os !== 'unknown')
  const fits = images.filter(
    ({ platform }) => platform?.os === wanted.os && platform.architecture === wanted.architecture,
  )
  const exact = fits.find(({ platform }) => platform?.variant === wanted.variant)
  return exact ?? fits[0] ?? (images.length === 1 && images[0]?.platform === undefined ? images[0] : undefined)
}
