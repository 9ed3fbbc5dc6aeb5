import { type JsonObject, stringOf } from '../../../lib/kube/json.ts'
import type { FieldError } from '../fault.ts'
import { invalidValue, push, required } from './fault-list.ts'

const REASON = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/
const NO_REASON =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')"
const [MOST_REASON_BYTES, MOST_MESSAGE_BYTES] = [1024, 32 * 1024]

/** Reason and message of a condition. @see k8s.io/apimachinery/pkg/apis/meta/v1/validation ValidateCondition */
export function checkConditionWords(condition: JsonObject, path: string, errors: FieldError[]): void {
  const [reason, message] = [stringOf(condition.reason), stringOf(condition.message)]
  if (reason === '') required(errors, `${path}.reason`)
  else if (!REASON.test(reason)) invalidValue(errors, `${path}.reason`, reason, NO_REASON)
  checkBytes(reason, `${path}.reason`, MOST_REASON_BYTES, errors)
  checkBytes(message, `${path}.message`, MOST_MESSAGE_BYTES, errors)
}

function checkBytes(text: string, path: string, most: number, errors: FieldError[]): void {
  if (Buffer.byteLength(text) > most) push(errors, path, 'TooLong', `Too long: may not be more than ${most} bytes`)
}
