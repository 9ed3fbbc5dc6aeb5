import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type MessageInput, renderCommitMessage, usesRemovedFields } from './commit-message.ts'
import type { SetterChange } from './setters.ts'

const file = join(process.env.SLUICE_CONFORMANCE ?? '../shared/conformance', 'flux/commit-message-templates.json')
const skip = existsSync(file) ? false : `no conformance data at ${file}`
const change: SetterChange = {
  file: 'deploy.yaml',
  line: 10,
  object: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'test', namespace: 'default' },
  policy: { namespace: 'ns', name: 'policy1' },
  image: { name: 'r.io/helloworld', tag: 'v1.0.0' },
  setter: 'ns:policy1',
  oldValue: 'r.io/helloworld:1.0.0',
  newValue: 'r.io/helloworld:v1.0.0',
}
const render = (template: string | undefined, more: Partial<MessageInput> = {}): string =>
  renderCommitMessage({
    template,
    automation: { namespace: 'ns', name: 'auto' },
    changes: [change],
    updatePath: '',
    values: { cluster: 'prod', testing: 'value' },
    ...more,
  })

test('commit messages come out of Flux’s own templates as they do there', { skip }, () => {
  const { constants } = JSON.parse(readFileSync(file, 'utf8')) as { constants: Record<string, string> }
  assert.equal(
    render(constants['testCommitTemplateRemoved']),
    'Commit summary\n\nAutomation: ns/auto\n\nFiles:\n- deploy.yaml\nObjects:\n- deployment test\nImages:\n- r.io/helloworld:v1.0.0 (policy1)\n',
  )
  assert.equal(
    render(constants['testCommitTemplateImageResult']),
    render(constants['testCommitTemplateRemoved']).replace('- deployment', '- Deployment'),
  )
  assert.equal(
    render(constants['testCommitTemplateResultV2']),
    'Commit summary with ResultV2\n\nAutomation: ns/auto\n\n- File: deploy.yaml\n  - Object: Deployment/default/test\n    Changes:\n    - r.io/helloworld:1.0.0 -> r.io/helloworld:v1.0.0\n',
  )
  assert.equal(
    render(constants['testCommitTemplateWithValues']),
    'Commit summary\n\nAutomation: ns/auto\n\nCluster: prod\nTesting: value\n',
  )
})

test('without a template the message is Flux’s', () =>
  assert.equal(render(undefined), 'Update from image update automation'))

test('templates that use what Flux removed are known', () => {
  assert.equal(usesRemovedFields('{{ range .Updated.Images }}{{ . }}{{ end }}'), true)
  assert.equal(usesRemovedFields('.Updated {{ .Changed.Changes }}'), false)
})

test('an object of a change is printed as Go prints it, and its fields are read without the way to them', () =>
  assert.equal(
    render(
      '{{ range $o, $_ := .Changed.Objects }}{{ $o }} {{ $o.Kind }} {{ $o.NameMeta.Name }} {{ $o.ResourceIdentifier.Namespace }}{{ end }}',
    ),
    '{{{apps/v1 Deployment} {test default}}} Deployment test default',
  ))

test('the changes are printed as Go prints them: by file, and what is made of that is read alone', () =>
  assert.equal(
    render('{{ .Changed }} {{ len .Changed.Objects }} {{ len .Changed.Changes }}'),
    '{map[deploy.yaml:map[{{{apps/v1 Deployment} {test default}}}:[{r.io/helloworld:1.0.0 r.io/helloworld:v1.0.0 ns:policy1}]]]} 1 1',
  ))

const named: readonly [it: string, updatePath: string, file: string, want: string][] = [
  ['of the repository', '', 'apps/web.yaml', 'apps/web.yaml'],
  ['below the path of the update', 'apps', 'apps/prod/web.yaml', 'prod/web.yaml'],
  ['that is the path of the update', 'apps/web.yaml', 'apps/web.yaml', 'web.yaml'],
]
for (const [it, updatePath, path, want] of named)
  test(`a message names a file ${it} as Flux does`, () => {
    const template = '{{ range $file, $_ := .Changed.FileChanges }}{{ $file }}{{ end }}'
    assert.equal(render(template, { updatePath, changes: [{ ...change, file: path }] }), want)
  })
