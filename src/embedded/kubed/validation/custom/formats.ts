import { isRequestUri } from '../../../../lib/cel/kubernetes/net.ts'
import { parseGoDuration } from '../../../../lib/go-duration/go-duration.ts'
import { parseAddress, parseNetwork } from '../../../../lib/kube/addresses.ts'
import { labelError, subdomainError } from '../../../../lib/kube/names.ts'
import { isMailAddress } from './mail-address.ts'
import { own } from '../../../../lib/value/own.ts'

/**
 * What the named formats of texts take, by their names without hyphens.
 *
 * @see k8s.io/kube-openapi/pkg/validation/strfmt, and formats.go of apiextensions-apiserver for which of them are looked at
 */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: matches(/^[0-9a-fA-F]{24}$/),
  byte: matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/),
  cidr: (text) => parseNetwork(text) !== undefined,
  creditcard: isCreditCard,
  date: isDate,
  datetime: isDateTime,
  duration: isDuration,
  email: isMailAddress,
  hexcolor: matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  hostname: isHostname,
  ipv4: (text) => text.includes('.') && parseAddress(text) !== undefined,
  ipv6: (text) => text.includes(':') && parseAddress(text) !== undefined,
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  k8slongname: (text) => subdomainError(text) === undefined,
  k8sshortname: (text) => labelError(text) === undefined,
  mac: matches(
    /^[0-9a-f]{2}(?:(?::[0-9a-f]{2}){5}|(?::[0-9a-f]{2}){7}|(?::[0-9a-f]{2}){19}|(?:-[0-9a-f]{2}){5}|(?:-[0-9a-f]{2}){7}|(?:-[0-9a-f]{2}){19})$|^[0-9a-f]{4}(?:(?:\.[0-9a-f]{4}){2}|(?:\.[0-9a-f]{4}){3}|(?:\.[0-9a-f]{4}){9})$/i,
  ),
  password: () => true,
  rgbcolor: matches(
    /^rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\)$/,
  ),
  ssn: matches(/^(?=.{11}$)\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  uri: isRequestUri,
  uuid: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i),
  uuid3: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i),
  uuid4: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i),
  uuid5: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i),
}

const nameOf = (format: string): string => format.replaceAll('-', '')

/** True for a format of texts that is looked at. */
export const isTextFormat = (format: string): boolean => Object.hasOwn(FORMATS, nameOf(format))

/** True when a text is of a format; any text is of one that nobody knows. */
export const fitsFormat = (format: string, text: string): boolean => own(FORMATS, nameOf(format))?.(text) ?? true

function matches(pattern: RegExp): (text: string) => boolean {
  return (text) => pattern.test(text)
}

function isDate(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)?.map(Number) ?? []
  if (year === undefined || month === undefined || day === undefined || month < 1 || month > 12) return false
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const most = month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
  return day >= 1 && day <= most
}

/** Hours, minutes and seconds are compared as texts; what stands behind a second `t` is not looked at. */
function isDateTime(text: string): boolean {
  const [date = '', time = ''] = text.toLowerCase().split('t')
  const found = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$/.exec(time)
  const [, hour = '', minute = '', second = ''] = found ?? []
  return isDate(date) && found !== null && hour <= '23' && minute <= '59' && second <= '59'
}

const UNIT = /^(?:ns|us|µs|ms|s|m|h|hr|d|w|wk)$|^(?:nano|micro|milli|sec|min|hour|day|week)/

const COUNTED = /(?<!\d)(\d+)[\t\n\f\r ]*([A-Za-zµ]+)/g
const MOST_COUNTED = 2n ** 63n - 1n

/** As Go has it, or with a known unit anywhere in it and no number before letters that 64 bits do not hold. */
function isDuration(text: string): boolean {
  if (!('fault' in parseGoDuration(text))) return true
  let isKnown = false
  for (const [, digits = '', unit = ''] of text.matchAll(COUNTED)) {
    const count = digits.replace(/^0+/, '')
    if (count.length > 19 || BigInt(count) > MOST_COUNTED) return false
    isKnown ||= UNIT.test(unit.toLowerCase())
  }
  return isKnown
}

const HOSTNAME =
  /^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$/u

function isHostname(text: string): boolean {
  if (!HOSTNAME.test(text) || Buffer.byteLength(text) > 255) return false
  return text.split('.').every((part) => Buffer.byteLength(part) <= 63)
}

const CARD =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/

/** The last digit checks the others: every second one counts twice. */
function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, '')
  if (!CARD.test(digits)) return false
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const doubled = Number(digit) * (index % 2 === 1 ? 2 : 1)
    return total + (doubled >= 10 ? (doubled % 10) + 1 : doubled)
  }, 0)
  return sum % 10 === 0
}

const withoutDashes = (text: string): string => text.replace(/[\t\n\f\r -]+/g, '')

function isIsbn10(text: string): boolean {
  const digits = withoutDashes(text)
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/.test(digits)) return false
  const sum = [...digits].reduce((total, digit, index) => total + (index + 1) * (digit === 'X' ? 10 : Number(digit)), 0)
  return sum % 11 === 0
}

function isIsbn13(text: string): boolean {
  const digits = withoutDashes(text)
  if (!/^[0-9]{13}$/.test(digits)) return false
  const sum = [...digits].reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0)
  return sum % 10 === 0
}
