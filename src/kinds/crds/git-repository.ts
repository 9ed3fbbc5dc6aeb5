import type { KindTable } from './table.ts'

/** What a GitRepository may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const gitRepositoryTable: KindTable = {
  group: 'source.toolkit.fluxcd.io',
  kind: 'GitRepository',
  about: 'a Git repository, and the ref of it that is offered as an artifact',
  plural: 'gitrepositories',
  shortNames: ['gitrepo'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  versions: ['v1beta1', 'v1beta2', 'v1'],
  columns: [
    'URL string .spec.url',
    'Age date .metadata.creationTimestamp',
    'Ready string .status.conditions[?(@.type=="Ready")].status',
    'Status string .status.conditions[?(@.type=="Ready")].message',
  ],
  hasStatus: true,
  fields: String.raw`
spec object # what is wanted
  ? "!has(self.serviceAccountName) || (has(self.provider) && (self.provider == 'azure' || self.provider == 'aws'))" : "serviceAccountName can only be set when provider is 'azure' or 'aws'"
  ignore string # files left out of the artifact, in the form of .gitignore; takes the place of the default list
  include [object] # artifacts of other GitRepositories that are laid into this one
    fromPath string # the folder that is taken; the whole artifact without it
    repository! object # the GitRepository, in this namespace
      name! string
    toPath string # the folder that it is laid into; the name of the repository without it
  interval! string duration # how often the source is asked, at least; a push that is heard of is taken at once
  provider string {"enum":["generic","aws","azure","github"]} # whose login is used; generic takes it from secretRef, github an App in it
  proxySecretRef object # the Secret with the address of a proxy, and its login
    name! string
  recurseSubmodules boolean # true fetches submodules too
  ref object # which commit is wanted; without it the branch master
    branch string # the newest commit of a branch
    commit string # one commit by its whole hash; wins over all else
    name string # a ref by its whole name, refs/pull/1/head; wins over tag, semver and branch
    semver string # the highest tag that a range of versions allows; wins over branch
    tag string # the commit of a tag; wins over semver and branch
  secretRef object # the Secret, in this namespace, with the login
    name! string
  serviceAccountName string # the ServiceAccount whose rights or pull secrets are used
  sparseCheckout [string] # folders to fetch; all of them without it
  suspend boolean # true stops new work on this object; what was done stays
  timeout string timeout {"default":"60s"} # how long one look may take
  url! string {"pattern":"^(http|https|ssh)://.*$"} # address of the repository, over HTTP(S) or SSH
  verify object # wants a signature of a known key
    mode string {"default":"HEAD","enum":["head","HEAD","Tag","TagAndHEAD"]} # what must be signed: the commit, the tag, or both
    secretRef! object # the Secret with public keys: .asc for PGP, .sshpub for SSH
      name! string
  accessFrom object # which other namespaces may refer to this object
    namespaceSelectors! [object]
      matchLabels {string}
  gitImplementation string {"enum":["go-git","libgit2"]} # of old versions; means nothing
status object {"default":{"observedGeneration":-1}} # what is so
  artifact @artifact
  conditions @conditions
  includedArtifacts [@artifact]
  lastHandledReconcileAt string
  observedGeneration integer {"format":"int64"}
  observedIgnore string
  observedInclude [object]
    fromPath string
    repository! object
      name! string
    toPath string
  observedRecurseSubmodules boolean
  observedSparseCheckout [string]
  sourceVerificationMode string
  contentConfigChecksum string
  url string
`,
}
