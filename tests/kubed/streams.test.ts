import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { type Cluster, startCluster } from '../../src/app/cluster.ts'
import { serveRegistryd } from '../../src/embedded/registryd/serve.ts'
import { read } from '../../src/lib/kube/read.ts'
import { nodeLayer, pushImage } from '../support/node-image.ts'
import { type Answer, chosenKubectls, runKubectl, whyNoPods } from '../support/run-kubectl.ts'
import { openWebSocket } from '../support/websocket-client.ts'
import { toolLayer } from '../support/tool-layer.ts'
import { LONG_MS, until } from '../support/wait.ts'

// Streams to containers that really run: kubectl by SPDY (1.27) and WebSocket (1.31 and later), and clients that speak WebSocket themselves.

const kubectls = chosenKubectls()
const closed = whyNoPods()
const skip = closed ? { skip: closed } : {}
const IMAGE = 'registry.sluice.local/demo/tools:1'

/** What every client library does in a pod. */
const CALLER = `
const read = (name) => require('fs').readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/' + name, 'utf8')
const path = '/api/v1/namespaces/' + read('namespace') + '/pods'
const options = { host: 'kubernetes.default.svc', path, ca: read('ca.crt'), headers: { authorization: 'Bearer ' + read('token') } }
require('https').get(options, (answer) => {
  let text = ''
  answer.on('data', (chunk) => (text += chunk))
  answer.on('end', () => {
    console.log(process.env.KUBERNETES_SERVICE_HOST + ':' + process.env.KUBERNETES_SERVICE_PORT)
    console.log(answer.statusCode + '\\n' + JSON.parse(text).message)
  })
})`

const folder = mkdtempSync(join(tmpdir(), 'sluice-streams-'))
let cluster: Cluster
let closeRegistry: () => Promise<void>

before(async () => {
  if (closed) return
  const registryd = await serveRegistryd({ root: join(folder, 'registry'), port: 0 })
  closeRegistry = registryd.close
  const config = { Cmd: ['sh'], Env: ['COLOR=blue'], WorkingDir: '/tmp' }
  await pushImage(registryd.host, 'demo/tools', '1', [toolLayer()], config)
  await pushImage(registryd.host, 'demo/node', '1', [nodeLayer(), toolLayer()], config)
  const registry = { alias: 'registry.sluice.local', url: registryd.host }
  const log = (): void => undefined
  cluster = await startCluster({ stateDir: join(folder, 'state'), port: 0, node: 'linux', registry, log })
  await cluster.client.create(SERVICE, { fieldManager: 'test' })
  for (const pod of PODS) await cluster.client.create(pod, { fieldManager: 'test' })
  const names = PODS.map(({ metadata }) => `pod/${metadata.name}`)
  const ready = await kubectl(kubectls[0], ['wait', '--for=condition=Ready', ...names, '--timeout=170s'])
  assert.equal(ready.code, 0, ready.stderr)
})

after(async () => {
  if (closed) return
  await cluster.close({ stopPods: true })
  await closeRegistry()
  rmSync(folder, { recursive: true, force: true })
})

test(
  'a program in a pod calls the API by the account, the authority and the name that every pod has',
  skip,
  async () => {
    const { code, stdout, stderr } = await kubectl(kubectls[0], [
      'exec',
      'web',
      '-c',
      'web',
      '--',
      'node',
      '-e',
      CALLER,
    ])
    assert.equal(code, 0, stderr)
    const [host, status, message] = stdout.trim().split('\n')
    assert.equal(host, '10.96.0.1:443')
    assert.equal(status, '403')
    assert.match(message ?? '', /User "system:serviceaccount:default:default" cannot list resource "pods"/)
  },
)

/** The node looks every 15 s; what a thing uses is known after two looks. */
async function untilMeasured(): Promise<void> {
  await until('all are measured', async () => {
    const [pods, nodes] = await Promise.all(['pod', 'node'].map((kind) => kubectl(kubectls[0], ['top', kind])))
    return nodes?.code === 0 && PODS.every(({ metadata }) => pods?.stdout.includes(metadata.name))
  })
}

for (const path of kubectls) {
  const name = path.split('/').at(-1)

  test(`${name} exec: output, errors, exit code, environment and folder of the container`, skip, async () => {
    const script = 'echo out; echo err >&2; echo $COLOR $FRUIT; pwd; exit 3'
    const { code, stdout, stderr } = await kubectl(path, ['exec', 'shell', '--', 'sh', '-c', script])
    assert.equal(stdout, 'out\nblue pear\n/tmp\n')
    assert.equal(stderr, 'err\ncommand terminated with exit code 3\n')
    assert.equal(code, 3)
  })

  test(`${name} exec: input to its end, and a container by name`, skip, async () => {
    const { code, stdout } = await kubectl(
      path,
      ['exec', '-i', 'web', '-c', 'side', '--', 'wc', '-c'],
      'x'.repeat(300_000),
    )
    assert.deepEqual([code, stdout], [0, '300000\n'])
  })

  test(`${name} exec: what is wrong is said as the real server says it`, skip, async () => {
    const cases: [string[], RegExp][] = [
      [
        ['exec', 'web', '-c', 'nope', '--', 'true'],
        /^Error from server \(BadRequest\): container nope is not valid for pod web\n$/,
      ],
      [['exec', 'nobody', '--', 'true'], /^Error from server \(NotFound\): pods "nobody" not found\n$/],
      [['exec', 'shell', '--', 'no-such-program'], /exit code 127\n$/],
    ]
    for (const [words, wanted] of cases) assert.match((await kubectl(path, words)).stderr, wanted)
  })

  test(`${name} top: what pods and nodes use is measured`, skip, async () => {
    await untilMeasured()
    const pods = await kubectl(path, ['top', 'pod', '--containers', '--no-headers'])
    assert.match(pods.stdout, /^web +web +\d+m +[1-9]\d*Mi *$/m, pods.stderr)
    assert.match((await kubectl(path, ['top', 'pod', 'shell', '--no-headers'])).stdout, /^shell +\d+m +\d+Mi *$/m)
    const nodes = await kubectl(path, ['top', 'node', '--no-headers'])
    assert.match(nodes.stdout, /^\S+ +[1-9]\d*m +\d+% +[1-9]\d*Mi +\d+% *$/m, nodes.stderr)
    assert.match(
      (await kubectl(path, ['top', 'pod', 'nobody'])).stderr,
      /^Error from server \(NotFound\): pods "default\/nobody" not found\n$/,
    )
    assert.match(
      (await kubectl(path, ['get', 'podmetrics', 'shell'])).stdout,
      /^NAME +CPU +MEMORY +WINDOW\nshell +\d+\w* +\d+\w* +\d/,
    )
  })

  test(`${name} debug: a container joins a running pod and sees the processes of another`, skip, async () => {
    const added = `look-${name?.replaceAll('.', '-')}`
    const look = ['-c', added, '--', 'sh', '-c', 'cat /proc/*/cmdline; echo; head -n 1; exit 4']
    const words = [
      'debug',
      'talker',
      '-i',
      `--image=${IMAGE}`,
      '--target=talker',
      '--image-pull-policy=IfNotPresent',
      ...look,
    ]
    const { stdout, stderr } = await kubectl(path, words, 'typed\n')
    assert.match(stdout, /^typed$/m, stderr)
    const ended = `{.status.ephemeralContainerStatuses[?(@.name=="${added}")].state.terminated.exitCode}`
    const told = await kubectl(kubectls.at(-1), ['wait', 'pod/talker', `--for=jsonpath=${ended}=4`, '--timeout=60s'])
    assert.equal(told.code, 0, told.stderr)
    assert.match((await kubectl(path, ['logs', 'talker', '-c', added])).stdout, /sleep.9999.*^typed$/ms)
  })

  test(`${name} cp: there and back, byte for byte`, skip, async () => {
    const [there, back] = [join(folder, 'there'), join(folder, 'back')]
    writeFileSync(there, randomBytes(3_000_000))
    assert.equal((await kubectl(path, ['cp', there, 'shell:/tmp/blob'])).code, 0)
    assert.equal((await kubectl(path, ['cp', 'shell:/tmp/blob', back])).code, 0)
    assert.ok(readFileSync(there).equals(readFileSync(back)))
  })

  test(`${name} run -i --rm: attaches, passes input and exit code, leaves nothing`, skip, async () => {
    const words = ['run', 'once', `--image=${IMAGE}`, '-i', '--rm', '--restart=Never', '--command', '--']
    const { code, stdout } = await kubectl(path, [...words, 'sh', '-c', 'cat; exit 6'], 'piped\n')
    assert.match(stdout, /piped\n/)
    assert.equal(code, 6)
    assert.match((await kubectl(path, ['get', 'pod', 'once'])).stderr, /not found/)
  })

  test(`${name} port-forward: ports of the pod's address and of its loopback`, skip, async () => {
    const forward = spawn(path, ['port-forward', 'pod/web', ':8080', ':8081'], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    try {
      const ports: string[] = []
      for await (const line of createInterface(forward.stdout)) {
        const port = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1]
        if (port !== undefined) ports.push(port)
        if (ports.length === 2) break
      }
      const ask = async (port = ''): Promise<string> => (await fetch(`http://127.0.0.1:${port}/x`)).text()
      assert.deepEqual(await Promise.all(ports.map(ask)), ['outside GET /x ', 'inside GET /x '])
      const many = await Promise.all(Array.from({ length: 20 }, () => ask(ports[0])))
      assert.ok(many.every((text) => text === 'outside GET /x '))
    } finally {
      forward.kill('SIGKILL')
    }
  })

  test(`${name} exec -it: a terminal, with the size of the caller's`, { skip: closed || whyNoScript() }, async () => {
    const inside = 'until [ "$(stty size)" != "0 0" ]; do sleep 0.05; done; stty size; [ -t 0 ] && echo $TERM; exit 4'
    const outside = `stty rows 33 cols 101; exec "$KUBECTL" exec -it shell -- sh -c "$INSIDE"`
    const env = { ...environment(), KUBECTL: path, INSIDE: inside }
    const script = spawn('script', ['-q', '-e', '-c', outside, '/dev/null'], {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let text = ''
    script.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const [code] = await once(script, 'close')
    assert.match(text, /33 101\r\nxterm\r\n/)
    assert.equal(code, 4)
  })
}

test('a client that is killed ends its program', skip, async () => {
  for (const path of kubectls) {
    const client = spawn(path, ['exec', 'shell', '--', 'sh', '-c', 'sleep 1234; echo'], {
      env: environment(),
      stdio: 'ignore',
    })
    await until('it runs', async () => (await programs()).includes('sleep 1234'))
    client.kill('SIGKILL')
    await until('its end', async () => !(await programs()).includes('sleep 1234'))
  }
})

test('a client that is killed while its program takes no input ends it, too', skip, async () => {
  const ends = kubectls.map(async (path, index) => {
    const program = `sleep ${4321 + index}`
    const words = ['exec', '-i', 'shell', '--', ...program.split(' ')]
    const client = spawn(path, words, { env: environment(), stdio: ['pipe', 'ignore', 'ignore'] })
    client.stdin.on('error', () => undefined)
    client.stdin.write(Buffer.alloc(30_000_000))
    await until('it runs', async () => (await programs()).includes(program))
    client.kill('SIGKILL')
    await until('its end', async () => !(await programs()).includes(program))
  })
  await Promise.all(ends)
})

const protocols: { protocol: string; kind: 'binary' | 'text'; isBase64: boolean }[] = [
  { protocol: 'v5.channel.k8s.io', kind: 'binary', isBase64: false },
  { protocol: 'v4.channel.k8s.io', kind: 'binary', isBase64: false },
  { protocol: 'v4.base64.channel.k8s.io', kind: 'text', isBase64: true },
  { protocol: 'channel.k8s.io', kind: 'binary', isBase64: false },
  { protocol: 'base64.channel.k8s.io', kind: 'text', isBase64: true },
]
for (const { protocol, kind, isBase64 } of protocols)
  test(`${protocol}: channels are what client libraries expect`, skip, async () => {
    const words = ['sh', '-c', 'read line; echo "got $line"; echo bad >&2; exit 2']
    const query = `stdin=true&stdout=true&stderr=true&${words.map((word) => `command=${encodeURIComponent(word)}`).join('&')}`
    const socket = await openWebSocket(cluster, `/api/v1/namespaces/default/pods/shell/exec?${query}`, [protocol])
    assert.equal(socket.protocol, protocol)
    const line = Buffer.from('hello\n')
    socket.send(kind, isBase64 ? Buffer.from(`0${line.toString('base64')}`) : Buffer.concat([Buffer.from([0]), line]))
    const channels = new Map<number, string>()
    for (const { payload } of await socket.messages) {
      const channel = isBase64 ? (payload[0] ?? 0) - 48 : (payload[0] ?? 0)
      const data = isBase64 ? Buffer.from(payload.toString('latin1', 1), 'base64') : payload.subarray(1)
      channels.set(channel, (channels.get(channel) ?? '') + data.toString())
    }
    assert.equal(channels.get(1), 'got hello\n')
    assert.equal(channels.get(2), 'bad\n')
    const status = channels.get(3) ?? ''
    if (!protocol.startsWith('v'))
      return assert.match(status, /^command terminated with non-zero exit code: .*exit code 2$/)
    const { status: state, reason, details } = JSON.parse(status)
    assert.deepEqual(
      [state, reason, details.causes],
      ['Failure', 'NonZeroExitCode', [{ reason: 'ExitCode', message: '2' }]],
    )
  })

test('version 5 closes the input alone', skip, async () => {
  const query = 'stdin=true&stdout=true&command=wc&command=-c'
  const socket = await openWebSocket(cluster, `/api/v1/namespaces/default/pods/shell/exec?${query}`, [
    'v5.channel.k8s.io',
  ])
  socket.send('binary', Buffer.from('\0twelve bytes'))
  socket.send('binary', Buffer.from([255, 0]))
  const text = (await socket.messages)
    .filter(({ payload }) => payload[0] === 1)
    .map(({ payload }) => payload.toString('utf8', 1))
  assert.equal(text.join(''), '12\n')
})

const proxied: { to: string; method?: 'POST'; body?: string; want: RegExp; status?: number }[] = [
  { to: 'pods/web/proxy/a/b%20c?x=1&y', want: /^outside GET \/a\/b%20c\?x=1&y $/ },
  { to: 'pods/http:web:8081/proxy/', want: /^inside GET \/ $/ },
  { to: 'pods/web:8080/proxy/form', method: 'POST', body: 'data', want: /^outside POST \/form "data"$/ },
  { to: 'services/web:main/proxy/s', want: /^outside GET \/s $/ },
  { to: 'services/http:web:80/proxy/s', want: /^outside GET \/s $/ },
  {
    to: 'services/web:main/proxy/page',
    want: /^<a href="\/api\/v1\/namespaces\/default\/services\/web:main\/proxy\/next">$/,
  },
  { to: 'services/web/proxy/s', want: /no endpoints available for service \\"web\\"/, status: 503 },
  { to: 'services/web:99/proxy/s', want: /no service port 99 found for service \\"web\\"/, status: 503 },
  { to: 'pods/web:99/proxy/', want: /error trying to reach service: .*ECONNREFUSED/, status: 503 },
  { to: 'pods/nobody/proxy/', want: /pods \\"nobody\\" not found/, status: 404 },
]
for (const { to, method = 'GET', body, want, status = 200 } of proxied)
  test(`${method} ${to} goes to the pod and back`, skip, async () => {
    const path = `/api/v1/namespaces/default/${to}`
    // the Service's endpoints follow the pod's readiness
    const answer = await until(`${status}`, async () => {
      const got = await cluster.client.raw(method, path, body)
      return got.status === status ? got : undefined
    })
    assert.match(answer.text, want)
  })

test('the port of the kubelet is among those that no address of an object may name', async () => {
  const node = await cluster.client.get({ apiVersion: 'v1', kind: 'Node', namespace: '', name: 'node-1' })
  const port = read(node, 'status', 'daemonEndpoints', 'kubeletEndpoint', 'Port')
  assert.ok(cluster.ownPorts.includes(Number(port)), `${port} of ${cluster.ownPorts.join()}`)
})

test('the kubelet API of the node is reached by its proxy', skip, async () => {
  assert.equal((await cluster.client.raw('GET', '/api/v1/nodes/node-1/proxy/healthz')).text, 'ok')
  const { text } = await cluster.client.raw('GET', '/api/v1/nodes/node-1/proxy/containerLogs/default/talker/talker')
  assert.equal(text, 'a word\n')
})

test('ports are forwarded by channels of a WebSocket', { ...skip, timeout: LONG_MS }, async () => {
  const path = '/api/v1/namespaces/default/pods/web/portforward?ports=8080&ports=99'
  const socket = await openWebSocket(cluster, path, ['v4.channel.k8s.io'])
  socket.send('binary', Buffer.from('\0GET /ws HTTP/1.0\r\n\r\n'))
  const channels = new Map<number, Buffer[]>()
  for (const { payload } of await socket.messages)
    channels.set(payload[0] ?? 0, [...(channels.get(payload[0] ?? 0) ?? []), payload.subarray(1)])
  const [port, ...data] = channels.get(0) ?? []
  assert.equal(port?.readUInt16LE(), 8080)
  assert.match(Buffer.concat(data).toString(), /^HTTP\/1\.1 200 OK[\s\S]*outside GET \/ws $/)
  assert.equal(channels.get(3)?.[0]?.readUInt16LE(), 99)
  assert.match(String(channels.get(3)?.[1]), /ECONNREFUSED/)
})

test('logs come by WebSocket, plain and in base64', skip, async () => {
  const path = '/api/v1/namespaces/default/pods/talker/log'
  for (const [protocol, encoding] of [
    ['binary.k8s.io', 'utf8'],
    ['base64.binary.k8s.io', 'base64'],
    ['', 'utf8'],
  ] as const) {
    const socket = await openWebSocket(cluster, path, protocol === '' ? [] : [protocol])
    assert.equal(socket.protocol, protocol)
    const texts = (await socket.messages).map(({ payload }) => Buffer.from(payload.toString(), encoding).toString())
    assert.equal(texts.join(''), 'a word\n')
  }
  await assert.rejects(openWebSocket(cluster, path, ['nonsense']), /400 .*requested protocol/)
})

test('a client that does not read stops the program; nothing piles up', skip, async () => {
  const query =
    'stdout=true&command=sh&command=-c&command=' +
    encodeURIComponent('head -c 400000000 /dev/zero; echo done >/tmp/done')
  const socket = await openWebSocket(cluster, `/api/v1/namespaces/default/pods/shell/exec?${query}`, [
    'v5.channel.k8s.io',
  ])
  socket.pause()
  const before = process.memoryUsage().rss
  let highest = before
  for (let turn = 0; turn < 20; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    highest = Math.max(highest, process.memoryUsage().rss)
  }
  assert.ok(highest - before < 100_000_000, `${highest - before} bytes more`)
  socket.destroy()
  await until('its end', async () => !(await programs()).includes('head -c'))
  assert.match((await kubectl(kubectls[0], ['exec', 'shell', '--', 'cat', '/tmp/done'])).stderr, /No such file/)
})

test('whoever may only get the subresource runs nothing', skip, async () => {
  const path = kubectls[0]
  await kubectl(path, ['create', 'role', 'reader', '--verb=get', '--resource=pods,pods/exec'])
  await kubectl(path, ['create', 'rolebinding', 'reader', '--role=reader', '--user=reader'])
  const { stderr } = await kubectl(kubectls.at(-1), ['exec', 'shell', '--as=reader', '--', 'true'])
  assert.match(stderr, /pods "shell" is forbidden: User "reader" cannot create resource "pods\/exec"/)
})

function kubectl(path: string | undefined, words: readonly string[], input?: string): Promise<Answer> {
  return runKubectl(path, cluster.kubeconfig, words, input)
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, KUBECONFIG: cluster.kubeconfig }
}

/** The words of every program in the pod. */
async function programs(): Promise<string> {
  const { stdout } = await kubectl(kubectls[0], ['exec', 'shell', '--', 'sh', '-c', 'cat /proc/[0-9]*/cmdline'])
  return stdout.replaceAll('\0', ' ')
}

function whyNoScript(): string | false {
  try {
    execFileSync('script', ['--version'], { stdio: 'pipe' })
    return false
  } catch {
    return 'no script on this machine'
  }
}

const WEB = `const http = require('node:http')
const serve = (name) => http.createServer(async (request, response) => {
  if (request.url === '/page') return response.setHeader('content-type', 'text/html').end('<a href="/next">')
  let body = ''
  for await (const chunk of request) body += chunk
  response.end([name, request.method, request.url, body].join(' '))
})
serve('outside').listen(8080)
serve('inside').listen(8081, '127.0.0.1')`

const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { selector: { app: 'web' }, ports: [{ name: 'main', port: 80, targetPort: 8080 }] },
}

const forever = ['sh', '-c', 'while true; do sleep 1; done']
const PODS = [
  pod('shell', [{ name: 'shell', image: IMAGE, command: forever, env: [{ name: 'FRUIT', value: 'pear' }] }]),
  pod('talker', [{ name: 'talker', image: IMAGE, command: ['sh', '-c', 'echo a word; exec sleep 9999'] }]),
  pod('web', [
    {
      name: 'web',
      image: 'registry.sluice.local/demo/node:1',
      command: ['node', '-e', WEB],
      ports: [{ containerPort: 8080 }],
    },
    { name: 'side', image: IMAGE, command: forever },
  ]),
]

function pod(name: string, containers: readonly object[]) {
  const spec = { terminationGracePeriodSeconds: 1, containers }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', labels: { app: name } }, spec }
}
