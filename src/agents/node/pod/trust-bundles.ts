import type { Json } from '../../../lib/kube/json.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { read, readText } from '../../../lib/kube/read.ts'
import { matchSelector } from '../../../lib/kube/selector.ts'
import { certificatePem, pemBlocks } from '../../../lib/x509/pem.ts'

/** Trust anchors as a projected volume asks for them: of one bundle, or of all bundles of a signer that a selector fits (an absent one fits none). */
export type TrustBundleWish = {
  readonly path: string
  readonly name?: string
  readonly signerName?: string
  readonly labelSelector?: Json
  readonly optional?: boolean
}

/**
 * The anchors as one PEM text, each once, in an order that does not depend on that of the bundles. Empty when there are none and none need be.
 *
 * @returns an object with `missing` in the words of a kubelet, where there must be some
 * @see k8s.io/kubernetes/pkg/kubelet/clustertrustbundle
 */
export function trustAnchors(
  wish: TrustBundleWish,
  bundles: readonly KubeObject[],
): string | { readonly missing: string } {
  const fits = wish.name === undefined ? bySigner(wish) : ({ metadata }: KubeObject) => metadata.name === wish.name
  const found = bundles.filter(fits)
  if (found.length === 0 && wish.optional !== true) return { missing: whyMissing(wish) }
  const anchors = found.flatMap((bundle) =>
    pemBlocks(readText(bundle, 'spec', 'trustBundle')).map(({ base64 }) => base64),
  )
  return [...new Set(anchors)].sort().map(certificatePem).join('')
}

function bySigner({ signerName, labelSelector }: TrustBundleWish): (bundle: KubeObject) => boolean {
  const isSelected = matchSelector(labelSelector)
  return (bundle) => read(bundle, 'spec', 'signerName') === signerName && isSelected(bundle.metadata.labels)
}

function whyMissing({ name }: TrustBundleWish): string {
  return name === undefined
    ? 'combination of signerName and labelSelector matched zero ClusterTrustBundles'
    : `while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "${name}" not found`
}
