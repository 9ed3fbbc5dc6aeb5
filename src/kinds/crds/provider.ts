import type { KindTable } from './table.ts'

/** What a Provider may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const providerTable: KindTable = {
  group: 'notification.toolkit.fluxcd.io',
  kind: 'Provider',
  plural: 'providers',
  shortNames: [],
  categories: ['all', 'fluxcd', 'fluxcd-notifications'],
  versions: ['v1beta1', 'v1beta2', 'v1beta3'],
  columns: ['Age date .metadata.creationTimestamp'],
  hasStatus: false,
  fields: String.raw`
spec object
  ? "self.type == 'github' || self.type == 'gitlab' || self.type == 'gitea' || self.type == 'bitbucketserver' || self.type == 'bitbucket' || self.type == 'azuredevops' || !has(self.commitStatusExpr)" : "spec.commitStatusExpr is only supported for the 'github', 'gitlab', 'gitea', 'bitbucketserver', 'bitbucket', 'azuredevops' provider types"
  address string {"maxLength":2048}
  certSecretRef object
    name! string
  channel string {"maxLength":2048}
  commitStatusExpr string
  interval string duration
  proxy string {"maxLength":2048,"pattern":"^(http|https)://.*$"}
  proxySecretRef object
    name! string
  secretRef object
    name! string
  serviceAccountName string
  suspend boolean
  timeout string timeout
  type! string {"enum":["slack","discord","msteams","rocket","generic","generic-hmac","github","gitlab","gitea","giteapullrequestcomment","bitbucketserver","bitbucket","azuredevops","googlechat","googlepubsub","webex","sentry","azureeventhub","telegram","lark","matrix","opsgenie","alertmanager","grafana","githubdispatch","githubpullrequestcomment","gitlabmergerequestcomment","pagerduty","datadog","nats","zulip","otel","zoom","incident.io"]}
  username string {"maxLength":2048}
status object
  conditions @conditions
  lastHandledReconcileAt string
  observedGeneration integer {"format":"int64"}
`,
}
