import type { KindTable } from './table.ts'

/** What a Provider may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const providerTable: KindTable = {
  group: 'notification.toolkit.fluxcd.io',
  kind: 'Provider',
  about: 'a service that notifications are sent to',
  plural: 'providers',
  shortNames: [],
  categories: ['all', 'fluxcd', 'fluxcd-notifications'],
  versions: ['v1beta1', 'v1beta2', 'v1beta3'],
  columns: ['Age date .metadata.creationTimestamp'],
  hasStatus: false,
  fields: String.raw`
spec object # what is wanted
  ? "self.type == 'github' || self.type == 'gitlab' || self.type == 'gitea' || self.type == 'bitbucketserver' || self.type == 'bitbucket' || self.type == 'azuredevops' || !has(self.commitStatusExpr)" : "spec.commitStatusExpr is only supported for the 'github', 'gitlab', 'gitea', 'bitbucketserver', 'bitbucket', 'azuredevops' provider types"
  address string {"maxLength":2048} # where they are posted to; the Secret may hold it instead
  certSecretRef object # the Secret with the certificates: ca.crt, tls.crt and tls.key
    name! string
  channel string {"maxLength":2048} # the channel, room or key of the service
  commitStatusExpr string # a CEL expression of event, provider and alert that names the commit status
  interval string duration # of old versions; means nothing
  proxy string {"maxLength":2048,"pattern":"^(http|https)://.*$"} # of old versions: use proxySecretRef
  proxySecretRef object # the Secret with the address of a proxy, and its login
    name! string
  secretRef object # the Secret with address, token, username, password or headers
    name! string
  serviceAccountName string # the ServiceAccount whose rights or pull secrets are used
  suspend boolean # true sends nothing
  timeout string timeout # how long one delivery may take
  type! string {"enum":["slack","discord","msteams","rocket","generic","generic-hmac","github","gitlab","gitea","giteapullrequestcomment","bitbucketserver","bitbucket","azuredevops","googlechat","googlepubsub","webex","sentry","azureeventhub","telegram","lark","matrix","opsgenie","alertmanager","grafana","githubdispatch","githubpullrequestcomment","gitlabmergerequestcomment","pagerduty","datadog","nats","zulip","otel","zoom","incident.io"]} # the kind of service
  username string {"maxLength":2048} # who posts
status object # what is so
  conditions @conditions
  lastHandledReconcileAt string
  observedGeneration integer {"format":"int64"}
`,
}
