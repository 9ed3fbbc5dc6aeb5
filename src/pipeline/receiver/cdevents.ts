import { read, readText } from '../../lib/kube/read.ts'
import { goUrlFault } from '../../lib/value/go-url-fault.ts'
import { isRecord } from '../../lib/value/is-record.ts'
import { own } from '../../lib/value/own.ts'

// The vocabulary of CDEvents 0.4, https://github.com/cdevents/spec/tree/v0.4.1: subject -> predicates.
const VOCABULARY: Readonly<Record<string, string>> = {
  pipelinerun: 'queued started finished',
  taskrun: 'started finished',
  repository: 'created modified deleted',
  branch: 'created deleted',
  change: 'created reviewed merged abandoned updated',
  build: 'queued started finished',
  testcaserun: 'queued started finished skipped',
  testsuiterun: 'queued started finished',
  testoutput: 'published',
  artifact: 'packaged signed published downloaded deleted',
  environment: 'created modified deleted',
  service: 'deployed upgraded rolledback removed published',
  incident: 'detected reported resolved',
  ticket: 'created updated closed',
}

// Each type has the version of its own schema, which is not that of the specification; most have this one.
const USUAL_VERSION = '0.2.0'
const VERSIONS: Readonly<Record<string, string>> = {
  'change.created': '0.3.0',
  'artifact.downloaded': '0.1.0',
  'artifact.deleted': '0.1.0',
  'testcaserun.skipped': '0.1.0',
  'ticket.created': '0.1.0',
  'ticket.updated': '0.1.0',
  'ticket.closed': '0.1.0',
}

// How subjects are written in an event whose name has two words.
const SUBJECT_TYPES: Readonly<Record<string, string>> = {
  pipelinerun: 'pipelineRun',
  taskrun: 'taskRun',
  testcaserun: 'testCaseRun',
  testsuiterun: 'testSuiteRun',
  testoutput: 'testOutput',
}

// What must be said of some subjects; an `artifactId` is a package URL.
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  'repository.created': ['name', 'url'],
  'build.finished': ['artifactId'],
  'artifact.packaged': ['change.id'],
  'artifact.signed': ['signature'],
  'service.deployed': ['environment.id', 'artifactId'],
  'service.upgraded': ['environment.id', 'artifactId'],
  'service.rolledback': ['environment.id', 'artifactId'],
  'incident.detected': ['environment.id', 'artifactId'],
  'incident.reported': ['environment.id', 'artifactId', 'ticketURI'],
  'incident.resolved': ['environment.id', 'artifactId'],
  'testcaserun.queued': ['environment.id'],
  'testcaserun.started': ['environment.id'],
  'testcaserun.finished': ['environment.id', 'outcome'],
  'testsuiterun.queued': ['environment.id'],
  'testsuiterun.started': ['environment.id'],
  'testsuiterun.finished': ['environment.id', 'outcome'],
  'testoutput.published': ['outputType'],
  'ticket.created': ['creator', 'uri'],
  'ticket.updated': ['uri'],
  'ticket.closed': ['uri', 'resolution'],
}

/** Fields that name another subject, by its id. */
const REFERENCES = ['repository', 'change', 'environment', 'service', 'pipelineRun', 'testSuiteRun', 'testCaseRun']
const ENUMERATED: Readonly<Record<string, readonly string[]>> = {
  outcome: ['pass', 'fail', 'cancel', 'error'],
  outputType: ['report', 'video', 'image', 'log', 'other'],
}

const PACKAGE_URL = /^pkg:[^/]+\/./
/** An event that a tool defines for itself: of its subject no more is known. */
const CUSTOM = /^dev\.cdeventsx\.[a-z]+-[a-z]+\.[a-z]+\.\d+\.\d+\.\d+(?:-[\w.]+)?$/
const TYPE = /^dev\.cdevents\.([a-z]+)\.([a-z]+)\.(\d+\.\d+\.\d+(?:-[\w.]+)?)$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** What is wrong with a CDEvent; undefined when nothing is. Its type must be known, its context whole, its subject named. */
export function cdEventFault(event: unknown): string | undefined {
  const type = readText(event, 'context', 'type')
  if (CUSTOM.test(type)) return contextFault(event) ?? contentFault(event)
  const [, subject = '', predicate = '', version = ''] = TYPE.exec(type) ?? []
  if (subject === '') return `context.type "${type}" is not dev.cdevents.<subject>.<predicate>.<version>`
  if (!own(VOCABULARY, subject)?.split(' ').includes(predicate)) return `context.type "${type}" is not known`
  if (version !== (VERSIONS[`${subject}.${predicate}`] ?? USUAL_VERSION))
    return `context.type "${type}" has another version`
  const fault = contextFault(event) ?? contentFault(event)
  if (fault !== undefined) return fault
  const written = SUBJECT_TYPES[subject] ?? subject
  if (readText(event, 'subject', 'type') !== written) return `subject.type is not "${written}"`
  const content = read(event, 'subject', 'content')
  for (const field of REFERENCES)
    if (read(content, field) !== undefined && readText(content, field, 'id') === '')
      return `subject.content.${field} has no id`
  for (const field of NEEDED[`${subject}.${predicate}`] ?? []) {
    const value = readText(content, ...field.split('.'))
    const isKnown = own(ENUMERATED, field)?.includes(value) ?? true
    if (value === '' || !isKnown || (field === 'artifactId' && !PACKAGE_URL.test(value)))
      return `subject.content.${field} is missing, or none`
  }
  return undefined
}

function contextFault(event: unknown): string | undefined {
  for (const field of ['version', 'id', 'source'])
    if (readText(event, 'context', field) === '') return `context.${field} is missing`
  const source = goUrlFault(readText(event, 'context', 'source'))
  if (source !== undefined) return `context.source is no URI: ${source}`
  const time = readText(event, 'context', 'timestamp')
  if (!TIME.test(time) || Number.isNaN(Date.parse(time))) return `context.timestamp "${time}" is not a time`
  if (!Array.isArray(read(event, 'context', 'links') ?? [])) return 'context.links is not a list'
  const schema = readText(event, 'context', 'schemaUri')
  return schema === ''
    ? undefined
    : `context.schemaUri "${schema}" is not known, so that nothing says what the event has to hold`
}

function contentFault(event: unknown): string | undefined {
  if (readText(event, 'subject', 'id') === '') return 'subject.id is missing'
  const content = read(event, 'subject', 'content')
  return content === undefined || isRecord(content) ? undefined : 'subject.content is not an object'
}
