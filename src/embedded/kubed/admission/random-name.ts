import type { Environment } from '../environment.ts'

/** No vowels, so that no words come out. */
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/** Five letters that the server adds to names. @see k8s.io/apimachinery/pkg/util/rand */
export function randomSuffix({ random }: Pick<Environment, 'random'>): string {
  return [...random(5)].map((byte) => LETTERS[byte % LETTERS.length]).join('')
}
