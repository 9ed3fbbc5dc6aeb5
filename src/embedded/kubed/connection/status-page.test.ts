import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeMeter } from './meter.ts'
import { flagsPage, statusPage } from './status-page.ts'
import { serveZPage } from './z-pages.ts'

test('the page of the status says since when the server runs', () => {
  const { text, fields } = statusPage(Date.UTC(2026, 10, 7, 19, 4, 45), (56 * 60 + 5) * 1000)
  assert.match(text, /^\nStarted: Sat Nov {2}7 19:04:45 UTC 2026\nUp: 0 hr 56 min 05 sec\n/)
  assert.deepEqual([fields['startTime'], fields['uptimeSeconds']], ['2026-11-07T19:04:45Z', 3365])
})

const asks: { accept: string; type: string; version?: string }[] = [
  { accept: '', type: 'text/plain; charset=utf-8' },
  { accept: '*/*', type: 'text/plain; charset=utf-8' },
  { accept: 'application/yaml, */*', type: 'text/plain; charset=utf-8' },
  { accept: 'application/json;as=Flagz;g=config.k8s.io;v=v1beta1', type: 'application/json', version: 'v1beta1' },
  { accept: 'application/yaml;as=Flagz;g=config.k8s.io;v=v1alpha1', type: 'application/yaml', version: 'v1alpha1' },
  { accept: 'application/json', type: 'refused' },
  { accept: 'application/json;as=Statusz;g=config.k8s.io;v=v1beta1', type: 'refused' },
  { accept: 'application/json;as=Flagz;g=config.k8s.io;v=v1', type: 'refused' },
]
// As kube-apiserver v1.37.2 answers.
for (const { accept, type, version } of asks)
  test(`who asks for flags by "${accept}" gets ${version ?? ''} ${type}`, () => {
    const ask = (): Answer => answerTo(accept)
    if (type === 'refused')
      return void assert.throws(ask, { code: 406, message: /: application\/json, application\/yaml, text\/plain$/ })
    const { headers, body } = ask()
    const suffix = version === undefined ? '' : `;g=config.k8s.io;v=${version};as=Flagz`
    assert.equal(headers['content-type'], `${type}${suffix}`)
    assert.equal('warning' in headers, version === 'v1alpha1')
    assert.match(body, /secure-port"?: ?"?0/)
  })

type Answer = { headers: Record<string, unknown>; body: string }

function answerTo(accept: string): Answer {
  const answer: Answer = { headers: {}, body: '' }
  const response = {
    writeHead: (_code: number, headers: Answer['headers']) => void (answer.headers = headers),
    end: (body: string) => void (answer.body = body),
  }
  serveZPage(flagsPage({ 'secure-port': '0' }), { headers: { accept } } as never, response as never)
  return answer
}

test('what the checks of the server said is counted by check and endpoint', () => {
  const meter = makeMeter(
    () => 0,
    () => undefined,
  )
  assert.equal(meter.renderChecks(), '')
  meter.judged('readyz', 'etcd', false)
  meter.judged('readyz', 'etcd', true)
  meter.judged('livez', 'ping', true)
  const lines = meter
    .renderChecks()
    .split('\n')
    .filter((line) => !line.startsWith('#'))
  assert.deepEqual(lines, [
    'kubernetes_healthcheck{name="etcd",type="readyz"} 1',
    'kubernetes_healthcheck{name="ping",type="livez"} 1',
    'kubernetes_healthchecks_total{name="etcd",status="error",type="readyz"} 1',
    'kubernetes_healthchecks_total{name="etcd",status="success",type="readyz"} 1',
    'kubernetes_healthchecks_total{name="ping",status="success",type="livez"} 1',
  ])
})
