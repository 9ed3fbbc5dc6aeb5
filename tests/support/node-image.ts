import { execFileSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { createRegistryClient } from '../../src/adapters/registry/client.ts'
import { digestOf } from '../../src/lib/oci/digest.ts'
import { packTar } from '../../src/lib/tar/write.ts'

type File = Parameters<typeof packTar>[0][number]

/** A layer with the machine's own Node, its libraries and a user: an image that needs no network. */
export function nodeLayer(): Buffer {
  const node = realpathSync(process.execPath)
  const listing = execFileSync('ldd', [node], { encoding: 'utf8' })
  const libraries = [...listing.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? '')
  const folders = new Set(['usr', 'usr/bin', 'etc', 'tmp', 'app'])
  for (const library of libraries) {
    const parts = library.slice(1).split('/').slice(0, -1)
    parts.forEach((_, index) => folders.add(parts.slice(0, index + 1).join('/')))
  }
  const files: File[] = [
    ...[...folders].sort().map((path): File => ({ path, type: 'directory', mode: path === 'tmp' ? 0o1777 : 0o755 })),
    ...libraries.map((library): File => ({
      path: library.slice(1),
      type: 'file',
      mode: 0o755,
      content: readFileSync(library),
    })),
    { path: 'usr/bin/node', type: 'file', mode: 0o755, content: readFileSync(node) },
    {
      path: 'etc/passwd',
      type: 'file',
      content: Buffer.from('root:x:0:0::/root:/bin/false\nnode:x:1000:1000::/app:/bin/false\n'),
    },
    { path: 'etc/group', type: 'file', content: Buffer.from('root:x:0:\nnode:x:1000:\n') },
  ]
  return packTar(files)
}

/** Pushes an image made of tar layers to a registry on loopback; answers its digest. */
export async function pushImage(
  host: string,
  repository: string,
  tag: string,
  layers: readonly Buffer[],
  config: object,
): Promise<string> {
  const client = createRegistryClient()
  const of = { host, repository }
  const push = async (bytes: Buffer, mediaType: string) => {
    const digest = digestOf(bytes)
    await client.pushBlob(of, { digest, sizeBytes: bytes.length, open: () => Readable.from([bytes]) })
    return { mediaType, digest, size: bytes.length }
  }
  try {
    const descriptors = []
    for (const layer of layers)
      descriptors.push(await push(gzipSync(layer, { level: 1 }), 'application/vnd.oci.image.layer.v1.tar+gzip'))
    const image = {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
    }
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: await push(Buffer.from(JSON.stringify(image)), 'application/vnd.oci.image.config.v1+json'),
      layers: descriptors,
    }
    const bytes = Buffer.from(JSON.stringify(manifest))
    return await client.putManifest(of, tag, { bytes, mediaType: manifest.mediaType })
  } finally {
    client.close()
  }
}
