import type { Passage } from './delivery.ts'

/** An image by its tag. */
export type Tagged = { readonly image: string; readonly tag: string }

/** `host/name:tag`, as manifests write it. */
export function imageKey({ image, tag }: Tagged): string {
  return `${image}:${tag}`
}

/** `run host/name:tag`: an image as one run has pushed it. */
export function pushedKey(runId: string, image: Tagged): string {
  return `${runId} ${imageKey(image)}`
}

/** `environment host/name:tag`: an image as one environment asks for it. */
export function wayKey(environment: string, image: Tagged): string {
  return `${environment} ${imageKey(image)}`
}

/** `namespace/kustomization commit`. */
export function passageKey({ kustomization, commit }: Pick<Passage, 'kustomization' | 'commit'>): string {
  return `${kustomization} ${commit}`
}

/** `namespace/pod`. */
export function podKey({ namespace, pod }: { readonly namespace: string; readonly pod: string }): string {
  return `${namespace}/${pod}`
}

/** `namespace/name`. */
export function workloadKey({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`
}
