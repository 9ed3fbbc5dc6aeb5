// Images for the Kubernetes end-to-end suite, made from what is at hand: its own agnhost (static), and Debian's static busybox and bash for a shell, its
// curl, nc and dig, and busybox for the web server that the suite calls nginx. Pushed to a registry under the names that the suite asks for.
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

const AGNHOST = ['/agnhost']
const WEB = { Cmd: ['httpd', '-f', '-p', '80', '-h', '/usr/share/nginx/html'] }

/** Name and tag by what is in the image. @see k8s.io/kubernetes/test/utils/image/manifest.go */
const IMAGES = {
  'e2e-test-images/agnhost:2.66.1': {
    layers: ['busybox', 'tools', 'agnhost'],
    config: { Entrypoint: AGNHOST, Cmd: ['pause'] },
  },
  'e2e-test-images/agnhost:2.55': {
    layers: ['busybox', 'tools', 'agnhost'],
    config: { Entrypoint: AGNHOST, Cmd: ['pause'] },
  },
  'e2e-test-images/busybox:1.37.0-2': { layers: ['busybox'], config: { Cmd: ['sh'] } },
  'e2e-test-images/nginx:1.27.0-2': { layers: ['busybox', 'web'], config: WEB },
  'e2e-test-images/nginx:1.28.0-2': { layers: ['busybox', 'web'], config: WEB },
  'e2e-test-images/nautilus:1.8': { layers: ['busybox', 'nautilus'], config: WEB },
  'e2e-test-images/nonroot:1.5': {
    layers: ['busybox', 'agnhost'],
    config: { Entrypoint: AGNHOST, Cmd: ['pause'], User: '1234' },
  },
  'e2e-test-images/glibc-dns-testing:2.1.1': { layers: ['busybox', 'tools', 'glibc'], config: { Cmd: ['sh'] } },
  'e2e-test-images/kitten:1.8': { layers: ['busybox', 'kitten'], config: { Cmd: ['sh'] } },
  'e2e-test-images/nonewprivs:1.4': {
    layers: ['busybox', 'setuid'],
    config: { Entrypoint: ['/usr/local/bin/nnp', '-p', '-c', 'echo "Effective uid: $EUID"'] },
  },
  'pause:3.10.2': { layers: ['busybox', 'agnhost'], config: { Entrypoint: [...AGNHOST, 'pause'] } },
}

/** Pushes every image to the registry at `url`; answers the text of the suite's KUBE_TEST_REPO_LIST. */
export async function pushImages(url, { agnhost, busybox, bash, tools }) {
  const layers = {
    busybox: busyboxLayer(busybox, bash),
    agnhost: agnhostLayer(agnhost),
    tools: toolLayer(tools, bash),
    glibc: glibcLayer(),
    web: webLayer({ 'index.html': '<html><body><h1>Welcome to nginx!</h1></body></html>\n' }),
    kitten: kittenLayer(),
    setuid: setuidLayer(bash),
    nautilus: webLayer({ 'data.json': '{"image": "nautilus.jpg"}\n' }),
  }
  for (const [name, image] of Object.entries(IMAGES))
    await pushImage(
      url,
      name,
      image.layers.map((layer) => layers[layer]),
      image.config,
    )
  const host = new URL(url).host
  return `promoterE2eRegistry: ${host}/e2e-test-images\ngcRegistry: ${host}\ngcEtcdRegistry: ${host}\n`
}

function busyboxLayer(busybox, bash) {
  return layerOf((root) => {
    for (const folder of ['bin', 'etc', 'tmp', 'root', 'var/run', 'usr/bin'])
      mkdirSync(join(root, folder), { recursive: true })
    chmodSync(join(root, 'tmp'), 0o1777)
    copyFileSync(busybox, join(root, 'bin/busybox'))
    chmodSync(join(root, 'bin/busybox'), 0o755)
    const { stdout } = spawnSync(busybox, ['--list'], { encoding: 'utf8' })
    for (const applet of stdout.split('\n').filter((each) => each !== '' && each !== 'busybox'))
      symlinkSync('busybox', join(root, 'bin', applet))
    // who asks for any sh gets one that hands on variables whose names are none of its own, as that of the suite's image does
    copyInto(root, bash, '/usr/local/bin/sh')
    writeFileSync(
      join(root, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\ndefault:x:1000:1000::/:/bin/sh\n',
    )
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnobody:x:65534:\n')
  })
}

function agnhostLayer(agnhost) {
  return layerOf((root) => {
    copyFileSync(agnhost, join(root, 'agnhost'))
    chmodSync(join(root, 'agnhost'), 0o755)
    symlinkSync('agnhost', join(root, 'agnhost-2'))
    writeCertificate(join(root, 'localhost.crt'), join(root, 'localhost.key'))
  })
}

/** Stands beside the program in the suite's image: served by its web server, which probes look for, and used by its TLS ports. */
function writeCertificate(certificate, key) {
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const made = ['-newkey', 'rsa:2048', '-nodes', '-days', '3650', '-keyout', key, '-out', certificate]
  const { status, stderr } = spawnSync('openssl', ['req', '-x509', ...made, ...names], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl: ${stderr}`)
  chmodSync(key, 0o644)
}

/** Programs with the libraries that they name, for what the suite runs inside its pods. */
function toolLayer(programs, bash) {
  return layerOf((root) => {
    // the shell of a busybox may take its own program of a name before that of the image, and its nc knows no -v
    copyInto(root, bash, '/bin/sh')
    for (const [name, program] of Object.entries(programs)) {
      copyInto(root, program, `/usr/bin/${name}`)
      const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' })
      for (const [library] of stdout.matchAll(/\/\S+/g)) copyInto(root, library, library)
    }
  })
}

/** Names by the system's own resolver: what stands in /etc/hosts, then what the name server says. */
function glibcLayer() {
  return layerOf((root) => {
    mkdirSync(join(root, 'etc'))
    writeFileSync(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n')
  })
}

/** What the suite looks for in an image that is a volume. */
function kittenLayer() {
  return layerOf((root) => {
    mkdirSync(join(root, 'etc'))
    writeFileSync(join(root, 'data.json'), '{"image": "kitten.jpg"}\n')
    writeFileSync(join(root, 'etc/os-release'), 'NAME="a stand-in for Alpine Linux"\n')
  })
}

/** A shell that belongs to root and runs as its owner: it says who it is. */
function setuidLayer(bash) {
  return layerOf((root) => {
    copyInto(root, bash, '/usr/local/bin/nnp')
    chmodSync(join(root, 'usr/local/bin/nnp'), 0o4755)
  })
}

function copyInto(root, source, target) {
  const path = join(root, target)
  mkdirSync(dirname(path), { recursive: true })
  copyFileSync(source, path)
  chmodSync(path, 0o755)
}

function webLayer(pages) {
  return layerOf((root) => {
    const folder = join(root, 'usr/share/nginx/html')
    mkdirSync(folder, { recursive: true })
    for (const [name, text] of Object.entries(pages)) writeFileSync(join(folder, name), text)
  })
}

function layerOf(fill) {
  const root = mkdtempSync(join(tmpdir(), 'kube-e2e-'))
  try {
    chmodSync(root, 0o755)
    fill(root)
    const options = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner']
    const { stdout, status, stderr } = spawnSync('tar', [...options, '-C', root, '-c', '.'], { maxBuffer: 1 << 28 })
    if (status !== 0) throw new Error(`tar: ${stderr}`)
    return { blob: gzipSync(stdout, { level: 1 }), diffId: digestOf(stdout) }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function pushImage(url, name, layers, config) {
  const [repository, tag] = name.split(':')
  const body = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  })
  const blobs = [...layers.map(({ blob }) => blob), Buffer.from(body)]
  for (const blob of blobs) await pushBlob(url, repository, blob)
  const describe = (mediaType, blob) => ({ mediaType, digest: digestOf(blob), size: blob.length })
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: describe('application/vnd.oci.image.config.v1+json', Buffer.from(body)),
    layers: layers.map(({ blob }) => describe('application/vnd.oci.image.layer.v1.tar+gzip', blob)),
  }
  await ask(`${url}/v2/${repository}/manifests/${tag}`, 'PUT', JSON.stringify(manifest), manifest.mediaType)
}

async function pushBlob(url, repository, blob) {
  const digest = digestOf(blob)
  const there = await ask(`${url}/v2/${repository}/blobs/${digest}`, 'HEAD')
  if (there.statusCode === 200) return
  const begun = await ask(`${url}/v2/${repository}/blobs/uploads/`, 'POST')
  const target = new URL(begun.headers.location, url)
  target.searchParams.set('digest', digest)
  await ask(target, 'PUT', blob, 'application/octet-stream')
}

/** Not by fetch, whose requests look like those of a web page: registries refuse them. */
function ask(url, method, body = '', type = 'application/json') {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) }
    const outgoing = request(url, { method, headers }, (answer) => {
      answer.resume()
      answer.on('end', () => {
        if (answer.statusCode < 400 || method === 'HEAD') resolve(answer)
        else reject(new Error(`${method} ${url}: ${answer.statusCode}`))
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
