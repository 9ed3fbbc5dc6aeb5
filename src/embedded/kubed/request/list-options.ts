import { booleanIn, numberIn } from './query.ts'
import { type FieldError, invalid } from '../fault.ts'

const MATCHES = ['Exact', 'NotOlderThan']
const MATCH = 'resourceVersionMatch'

/**
 * Checks the numbers among the options of a list or watch, which is done before its selectors are read.
 *
 * @throws Fault 400
 */
export function checkListNumbers(query: URLSearchParams): void {
  numberIn(query, 'timeoutSeconds')
  numberIn(query, 'limit')
}

/**
 * Checks the options of a list or watch that stand against each other. A watch of the old paths, which do not say so in the query, is
 * checked as a list.
 *
 * @throws Fault 422 with every fault
 * @see k8s.io/apimachinery/pkg/apis/meta/internalversion/validation ValidateListOptions
 */
export function checkListOptions(query: URLSearchParams): void {
  const errors = booleanIn(query, 'watch') === true ? watchFaults(query) : listFaults(query)
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors)
}

function listFaults(query: URLSearchParams): FieldError[] {
  const [version, match] = ['resourceVersion', MATCH].map((name) => query.get(name) ?? '')
  const errors: FieldError[] = []
  if (match !== '') {
    if (version === '')
      errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
    if (hasToken(query)) errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'))
    if (!MATCHES.includes(match ?? '')) errors.push(unsupported(match ?? '', [...MATCHES, '']))
    if (match === 'Exact' && version === '0')
      errors.push(forbidden(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  }
  if (query.has('sendInitialEvents'))
    errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  return errors
}

function watchFaults(query: URLSearchParams): FieldError[] {
  const saysInitial = query.has('sendInitialEvents')
  const said = query.get(MATCH) ?? ''
  // A watch that begins with what is there is one that asks for initial events.
  const isLegacy = !saysInitial && said === '' && /^0?$/.test(query.get('resourceVersion') ?? '')
  const match = isLegacy ? 'NotOlderThan' : said
  const errors: FieldError[] = []
  if (saysInitial && match !== 'NotOlderThan')
    errors.push(forbidden(MATCH, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'))
  if (match === '') return errors
  if (!saysInitial && !isLegacy)
    errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'))
  if (match !== 'NotOlderThan') errors.push(unsupported(match, ['NotOlderThan']))
  if (hasToken(query)) errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'))
  return errors
}

const hasToken = (query: URLSearchParams): boolean => (query.get('continue') ?? '') !== ''

const forbidden = (field: string, why: string): FieldError => ({
  field,
  type: 'Forbidden',
  message: `Forbidden: ${why}`,
})

const unsupported = (match: string, supported: readonly string[]): FieldError => ({
  field: MATCH,
  type: 'NotSupported',
  message: `Unsupported value: ${JSON.stringify(match)}: supported values: ${supported.map((each) => JSON.stringify(each)).join(', ')}`,
})
