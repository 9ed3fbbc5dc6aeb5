/**
 * Writes a number as sigs.k8s.io/yaml does: through Go's JSON, where a float without a fraction becomes an integer, then
 * through Go's shortest `%g`, where an exponent below -4 or from 21 on (6 with a fraction) shows.
 */
export function formatFloat(value: number): string {
  if (Number.isInteger(value)) return formatIntegral(value)
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : value < 0 ? '-.inf' : '.nan'
  const text = String(value)
  const [mantissa = '', exponent] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 21 && power < 6) return text.includes('e') ? toPlain(value) : text
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

function formatIntegral(value: number): string {
  if (Object.is(value, -0)) return '0'
  if (Math.abs(value) < 1e15) return String(value)
  if (value > -9223372036854775808 && value <= 18446744073709550000) return String(value)
  const [mantissa = '', exponent] = value.toExponential().split('e')
  const power = Number(exponent)
  return `${mantissa}e+${String(power).padStart(2, '0')}`
}

function toPlain(value: number): string {
  return value.toFixed(20).replace(/0+$/, '')
}

/** Writes a number as Go's JSON does. */
export function formatJsonNumber(value: number): string {
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-6 || size >= 1e21)) {
    const [mantissa = '', exponent] = value.toExponential().split('e')
    const power = Number(exponent)
    return `${mantissa}e${power < 0 ? '-' : '+'}${Math.abs(power)}`
  }
  return Object.is(value, -0) ? '-0' : String(value)
}

/** Go's shortest `%g`. */
export function goFloat(value: number): string {
  if (!Number.isInteger(value) || Math.abs(value) < 1e6) return Object.is(value, -0) ? '-0' : formatFloat(value)
  const [mantissa = '', exponent = ''] = value.toExponential().split('e')
  return `${mantissa}e+${exponent.slice(1).padStart(2, '0')}`
}

/** Go's shortest `%f`: no exponent, however long that gets. */
export function goFixed(value: number): string {
  const [mantissa = '', exponent] = Math.abs(value).toExponential().split('e')
  const digits = mantissa.replace('.', '')
  const point = Number(exponent) + 1
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
  const rest = point > 0 ? digits.slice(point) : digits.padStart(digits.length - point, '0')
  return `${value < 0 || Object.is(value, -0) ? '-' : ''}${whole}${Number(rest) === 0 ? '' : `.${rest}`}`
}
