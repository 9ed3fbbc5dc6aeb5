import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runDocker } from './docker-command.ts'
import type { JobImages } from './images.ts'

const image = { imageId: 'sha256:1', manifestDigest: 'sha256:2', names: ['a:1'], config: {}, manifest: { layers: [] } }

/** What a call prints, and what it asked for. */
async function call(argv: readonly string[]): Promise<string> {
  const said: string[] = []
  const images: JobImages = {
    async build({ network }) {
      said.push(`network ${network}`)
      return { imageId: 'sha256:1' }
    },
    async pull(name) {
      said.push(`pulled ${name}`)
      return { digest: 'sha256:2' }
    },
    async inspect(name) {
      said.push(`inspected ${name}`)
      return image
    },
    list: async () => [{ name: 'web:1', imageId: 'sha256:1', sizeBytes: 1e6 }],
    tag: () => assert.fail(),
    push: () => assert.fail(),
    ...{ login: () => undefined, logout: () => undefined, close: () => undefined },
  }
  const reach = { images, addMask: () => undefined, signal: new AbortController().signal }
  const to = { out: (line: string) => void said.push(line), err: (line: string) => void said.push(line) }
  const code = await runDocker({ argv, cwd: '/work', env: {}, input: '' }, to, reach)
  return `${said.filter((line) => !line.startsWith('[')).join('; ')} -> ${code}`
}

const platform = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`

for (const [line, want] of [
  [`pull --platform ${platform} a:1`, /^pulled a:1; Digest: sha256:2; a:1 -> 0$/],
  ['pull --platform linux/none a:1', /^ERROR: .*only linux\S+ is built.* -> 1$/],
  ['pull -q a:1', /^pulled a:1; a:1 -> 0$/],
  ['pull --all-tags a', /^ERROR: .*all-tags.* -> 1$/],
  ['images --format {{.ID}}', /^ERROR: .*--format.* -> 1$/],
  ['images -q web', /^1 -> 0$/],
  ['inspect --type image a:1', /^inspected a:1 -> 0$/],
  ['inspect --type container a:1', /^ERROR: "docker inspect" shows images only -> 1$/],
  ['inspect -f {{.Id}} a:1', /^ERROR: "docker inspect --format" is not supported.* -> 1$/],
  ['build --network default .', /^network host; sha256:1 -> 0$/],
  ['build .', /^network none; sha256:1 -> 0$/],
  ['build --network mine .', /^ERROR: --network mine: only none, default and host are supported -> 1$/],
] as const)
  test(`docker ${line}`, async () => assert.match(await call(line.split(' ')), want))
