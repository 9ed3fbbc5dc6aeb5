import type { Environment } from '@marcbachmann/cel-js'
import { withAuthorizer } from './authz.ts'
import { withLists } from './lists.ts'
import { withNetwork } from './net.ts'
import { withOptionals } from './optionals.ts'
import { withQuantities } from './quantities.ts'
import { withTexts } from './texts.ts'
import { withTimes } from './times.ts'
import { withWalks } from './walks.ts'

/**
 * The functions that Kubernetes adds to CEL: quantities, lists, texts, sets, versions, addresses, URLs, authorizers.
 *
 * @see https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-cel-libraries
 */
export function withKubernetes(environment: Environment): Environment {
  const parts = [withQuantities, withTimes, withLists, withTexts, withNetwork, withOptionals, withWalks, withAuthorizer]
  return parts.reduce((all, add) => add(all), environment)
}
