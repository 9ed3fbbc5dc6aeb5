import type { WorkloadCause } from '../health/first-cause.ts'

/**
 * What the stages report as it happens. The delivery record (`fold.ts`) is made from facts alone, joined by commit and image digest.
 *
 * Facts are plain data, append-only, and safe to repeat: folding the same fact twice changes nothing. After a `kill -9` every stage
 * tells again what its store shows. Three facts no store shows afterwards (who built an image, which commit wrote it back, what an apply
 * changed): those are told first as `intended`, before the effect, and a later border proves them (docs/adr/0045).
 */
export type Fact = { readonly at: string } & FactBody

/** One kind a border of the way, in the order a commit meets them. */
export type FactBody =
  | {
      readonly kind: 'push'
      readonly repository: string
      readonly ref: string
      readonly commit: string
      readonly before: string
      readonly author: string
      readonly message: string
      readonly committedAt: string
      /** The name of the token it was pushed with, or what the holder of the server's own called himself. */
      readonly pusher?: string
    }
  | {
      readonly kind: 'run'
      readonly runId: string
      readonly workflow: string
      readonly event: 'push' | 'pull_request' | 'tag'
      readonly ref: string
      readonly commit: string
      readonly state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'skipped'
      readonly cause?: string
    }
  | {
      readonly kind: 'image'
      readonly image: string
      readonly tag: string
      readonly digest: string
      readonly commit: string
      readonly runId: string
      readonly intended?: true
    }
  | {
      readonly kind: 'policy'
      readonly policy: string
      readonly image: string
      readonly tag: string
      readonly digest?: string
      readonly considered: number
      readonly cause?: string
    }
  | {
      readonly kind: 'write-back'
      readonly automation: string
      readonly branch: string
      readonly commit: string
      readonly images: readonly { readonly image: string; readonly tag: string; readonly digest?: string }[]
      readonly intended?: true
    }
  | {
      /**
       * What an automation found when it last followed the markers: whether one carries each policy's choice, what is wrong with others
       * (`problems`), or why it follows none (`cause`; in older records the problems, too).
       */
      readonly kind: 'markers'
      readonly automation: string
      readonly choices: readonly MarkedChoice[]
      readonly problems?: string
      readonly cause?: string
    }
  | { readonly kind: 'source'; readonly source: string; readonly revision: string; readonly commit: string }
  | {
      readonly kind: 'build'
      readonly kustomization: string
      readonly revision: string
      readonly ok: boolean
      readonly cause?: string
      /** What runs at this revision: each Deployment, StatefulSet, … with its containers' images. Empty when the build failed. */
      readonly workloads: readonly WorkloadImages[]
    }
  | {
      readonly kind: 'apply'
      readonly kustomization: string
      readonly revision: string
      readonly ok: boolean
      readonly cause?: string
      /** `Deployment/default/web configured`, one a changed object; drift corrections carry `drift: true`. */
      readonly changes: readonly AppliedChange[]
      readonly intended?: true
    }
  | {
      readonly kind: 'health'
      readonly kustomization: string
      readonly revision: string
      readonly state: 'healthy' | 'unhealthy'
      readonly cause?: string
      /** What is not healthy, where the check could tell: `Deployment/default/web`. */
      readonly objects?: readonly string[]
      /** Why single workloads are not healthy, where their pods tell. */
      readonly causes?: readonly WorkloadCause[]
    }
  /** A Kustomization that is no more, whatever became of what it had applied; or an ImagePolicy. */
  | { readonly kind: 'deletion'; readonly kustomization: string }
  | { readonly kind: 'deletion'; readonly policy: string }
  | {
      /** What really runs: the image of a pod's first container and its digest, seen by watch. */
      readonly kind: 'pod'
      readonly namespace: string
      readonly workload: string
      readonly pod: string
      readonly image: string
      readonly digest: string
      /** Digests of its other containers, those that ran before the first among them. */
      readonly others?: readonly string[]
      readonly ready: boolean
      /** It is no more, or has ended. */
      readonly gone?: true
    }

/** What a policy chose, and whether a marker asks for it. `policy` is its name; it lives in the automation's namespace. */
export type MarkedChoice = {
  readonly policy: string
  readonly image: string
  readonly tag: string
  readonly isMarked: boolean
}

/** A workload as Git describes it, with the images of its containers as written (`host/name:tag`). */
export type WorkloadImages = {
  readonly namespace: string
  readonly name: string
  readonly images: readonly string[]
  /** Without a ready pod it has not arrived, whatever a health check says that may not look at it. */
  readonly needsPods?: true
}

/** What an apply did to one object; an intended change that was none in the end is `unchanged`. */
export type AppliedChange = { readonly object: string; readonly action: string; readonly drift?: boolean }

/**
 * Where a stage reports its facts; the implementation stamps the time and stores them durably.
 *
 * What is returned resolves when the fact is on disk (or the disk refuses it: then it is kept in memory and tried again); only who
 * acknowledges something or is about to do what it intends needs to wait.
 */
export type ReportFact = (fact: FactBody) => void | Promise<void>
