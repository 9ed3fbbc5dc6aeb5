/**
 * Every error code with what it means and what to do. `docs/errors.md` is generated from this table.
 *
 * Grouped by room, in the order a commit meets them. Add a line here before throwing a new code.
 */
export const ERROR_CODES = {
  // lib
  YAML_SYNTAX: 'The text is not YAML. Fix the line that the error names.',
  YAML_LIMIT: 'The YAML document is too large, too deep or expands too many aliases. Split it.',
  // lib/kustomize, pipeline/build
  KUSTOMIZE_INVALID: 'A kustomization file does not have the shape it must have. Fix the field that the error names.',
  KUSTOMIZE_BUILD:
    'The kustomization cannot be built: a resource, patch or reference does not fit. Fix what the error names.',
  KUSTOMIZE_PATH: 'A file that the kustomization names is missing, or lies where it must not. Fix the path.',
  KUSTOMIZE_REMOTE: 'A remote base or file could not be fetched. Check its URL, its ref, and the network.',
  KUSTOMIZE_HTTP: 'A server refused a remote file. Check its URL.',
  KUSTOMIZE_UNSUPPORTED:
    'The kustomization asks for something that Sluice does not do: plug-ins, Helm, remote bases. Replace it.',
  KUSTOMIZE_LIMIT:
    'The build is larger than Sluice accepts: too many kustomizations or bytes, or objects nested too deep. Split it.',
  WATCH_REFUSED: 'The system does not let us watch a folder. Raise the limit that the error names.',
  // lib: versions, patterns, templates
  SEMVER_CONSTRAINT: 'The version range is not understood. Write one such as ">=1.0.0", "1.2.x" or ">=1.0.0-0".',
  REGEXP_SYNTAX: 'The regular expression is not one of Go (RE2). Fix the part that the error names.',
  REGEXP_LIMIT: 'The regular expression is too large. Simplify it.',
  TEMPLATE_INVALID: 'The template cannot be parsed or rendered. Fix the place that the error names.',
  CEL_INVALID: 'The CEL expression can never work. Fix the place that the error names.',
  CEL_FAILED: 'The CEL expression does not work with these values. Test for a field with has() before using it.',
  // lib/sops
  SOPS_DECRYPT:
    'A file that SOPS encrypted cannot be decrypted. The message lists the keys that were tried, or the value that was changed.',
  SOPS_KEY:
    'A key for SOPS cannot be used, or does not open the file. Put the right one into the Secret of spec.decryption.',
  // lib/jwt, pipeline/receiver
  JWT_INVALID: 'The token of a request is not one that this Receiver trusts. Check issuer, account and audience.',
  BODY_INVALID: 'The body of a request is not what its sender says that it is. Look at the sender.',
  RECEIVER_RESOURCE: 'A resource of a Receiver cannot be asked to reconcile. Fix the entry that the error names.',
  // pipeline/image
  IMAGE_POLICY_INVALID: 'The image policy cannot work as written. Fix the field that the error names.',
  // lib/nats, adapters/notify
  NATS_INVALID: 'The address, the credentials or the key of NATS cannot be used. Fix the Provider or its secret.',
  NOTIFY_PROVIDER: 'The Provider cannot be used. Fix the field or secret that the error names.',
  NOTIFY_ADDRESS:
    'The address of the Provider is not allowed. Use a public address, or allow private ones by the setting.',
  NOTIFY_FAILED: 'The receiver of a notification did not take it. Sluice tries again by itself.',
  // lib/oci, lib/tar, lib/dockerfile, embedded/registryd, adapters/registry, agents/builder
  OCI_MANIFEST_INVALID:
    'The manifest or configuration of an image is not what OCI or Docker define. Build and push it again.',
  IMAGE_NAME: 'The text is no image name. Write host/path:tag, path in lower case.',
  TAR_INVALID:
    'The archive is broken, too large, or has an entry that leaves its folder. Make it again from a trusted source.',
  DOCKERFILE_SYNTAX: 'The Dockerfile cannot be read. Fix the line that the error names.',
  DOCKERFILE_UNSUPPORTED:
    'The Dockerfile uses something this builder does not do. Use the way out that the error names.',
  BUILD_CONTEXT:
    'The build context cannot be used (missing file, link out of the folder, too large). Fix the path that the error names.',
  BUILD_RUN: 'A RUN step failed or could not be isolated on this machine. Read the output above it.',
  IMAGE_MISSING: 'There is no such image in the local store or the registry. Check the name, or push it first.',
  REGISTRY_UNREACHABLE:
    'The registry does not answer. Check its address and that it runs; Sluice tries again by itself.',
  REGISTRY_DENIED: 'The registry refuses the credentials, or asks for some. Check the secret or log in.',
  REGISTRY_BUSY:
    'The registry limits how often it is asked. Sluice leaves it alone for as long as it wants, then tries again by itself.',
  REGISTRY_REFUSED: 'The registry refused the request. The message is its own.',
  REGISTRY_FORBIDDEN_ADDRESS:
    'The registry sent us to an address we do not go to (another scheme, a loopback or link-local address). Use a registry that serves its own content.',
  REGISTRY_LIMIT: 'The registry sent more than we accept. Use fewer tags or a smaller image.',
  DIGEST_MISMATCH:
    'The bytes are not what their digest says: damaged on the way, or not the image you think. Nothing of it was kept.',
  STORE_FULL: 'The disk is full or the folder cannot be written. Free some space and try again.',
  // embedded/gitd, adapters/git
  GIT_NAME_INVALID:
    'The name cannot be a repository: letters, digits, dot, underscore and hyphen, up to four segments.',
  GIT_FAILED: 'git ended with an error. Its own words say why.',
  GIT_URL_REFUSED: 'The address is not one that may be used. Use https://, http:// or ssh://.',
  GIT_UNREACHABLE: 'The Git server could not be reached, or did not answer in time.',
  GIT_AUTH: 'The Git server wants other credentials. Check the secret of the repository.',
  GIT_PATH_MISSING: 'The commit has no such file or folder. Check the path.',
  GIT_PUSH_REFUSED: 'The Git server refused the push. Its own words say why.',
  SOURCE_GONE:
    'A newer revision of the source has replaced the one that is being built. Sluice goes on with the newer one.',
  S3_FAILED:
    'The object store did not give what was asked for. The message is its answer; Sluice tries again by itself.',
  GIT_MISSING: 'Sluice needs the git command. Install git, or put its folder into PATH.',
  GPG_MISSING: 'OpenPGP signatures need the gpg command. Install GnuPG, or use SSH signatures.',
  GIT_SIGN:
    'A commit could not be signed with the key of spec.git.commit.signingKey. Check the key and its passphrase.',
  // pipeline/ci, agents/runner
  WORKFLOW_INVALID: 'The workflow file cannot be run as written. Fix the line that the error names.',
  STEP_FAILED: 'A step of a workflow ended with an error. Its log says why.',
  STEP_UNSUPPORTED: 'The action is not one that this runner has built in. Use a run step, or a runner of GitHub.',
  STEP_LIMIT: 'A step printed too much or ran too long, and was ended. Raise timeout-minutes, or print less.',
  // kinds
  OBJECT_INVALID: 'The object does not have the shape its kind asks for. Fix the field that the error names.',
  // adapters/kube
  KUBE_CONFIG: 'The kubeconfig cannot be used. Fix the entry that the error names.',
  KUBE_UNREACHABLE:
    'The Kubernetes API does not answer. Check that it runs and that the kubeconfig names it; Sluice tries again by itself.',
  NOT_LEADING:
    'Another engine holds the lease of this cluster. It does the work; this one takes over when the other is gone.',
  // adapters/engine
  STATUS_REFUSED:
    'The API server does not take the status of an object, so that the object does not say how it is. The message is its answer: mend the object, or the rule that refuses it. What Git asks for is applied all the same.',
  APPLY_FAILED: 'The API server refused an object, or applying it would do harm. The message names it; fix it in Git.',
  // adapters/git, pipeline/source
  GIT_REMOTE: 'The Git host did not give what was asked for. The message is its answer; Sluice tries again by itself.',
  GIT_REF_NOT_FOUND: 'The repository has no such branch, tag, commit or version. Push it, or change spec.ref.',
  SECRET_MISSING: 'A Secret that the object names is not there. Create it in the namespace of the object.',
  GIT_BAD_RANGE: 'spec.ref.semver is no version range. Write one such as ">=1.0.0".',
  // agents/node
  NODE_DRIVER:
    'Pods cannot run by this driver here. The message says what the machine refuses; choose another --driver.',
  NODE_KEEPER:
    'The process that keeps the pods is gone or does not start; the node starts it again. Its log is keeper.log in the state folder.',
  IMAGE_UNSAFE:
    'The image brings entries that would leave its root, or device nodes. Build it again with a tool that makes plain layers.',
  IMAGE_INVALID: 'The image is damaged or of a kind that cannot run here. Build and push it again.',
  POD_VOLUME: 'A volume of the pod cannot be made. Create what it names, or change the volume.',
  POD_CONFIG:
    'A container of the pod cannot be configured. Create the ConfigMap, Secret or key that the message names.',
  // app
  USAGE: 'The command line was not understood. Run the command with --help.',
  REPOSITORY_INVALID: 'What sluice up was given cannot be delivered. Name a Git repository or a folder.',
  STATE_IN_USE: 'Another sluice runs on the same state folder. Stop it (sluice down) or choose another --state.',
  STATE_NEWER:
    'The state folder was written by a newer sluice, and this one would lose part of it. Start that version, or restore a backup of before the upgrade.',
  STATE_UNREADABLE:
    'A file of the state folder is damaged, or of another user. Restore it from a backup, or run the command as that user.',
  NOT_PERMITTED: 'The process is of another user. Run the command as that user.',
  OBJECT_MISSING: 'There is no object of that name. sluice get lists what there is.',
  FIELD_MISSING: 'The object has no such field. sluice blame without a field lists all it has.',
  OBJECT_SUSPENDED: 'The object is suspended. Resume it first.',
  WAIT_TIMEOUT: 'What was waited for did not happen in time. The events of the object say why.',
  KIND_UNKNOWN: 'The API server has no kind of that name. kubectl api-resources lists what it has.',
  REQUEST_REFUSED: 'The running sluice refused the request; the message says why.',
  RUN_ENDED: 'The workflow run has ended; there is nothing to cancel. sluice run list shows how it ended.',
  NOT_RUNNING: 'No sluice runs on that state folder. Start one (sluice up) or name its folder with --state.',
  TOKEN_EXISTS: 'There is a token of that name. Choose another name, or revoke it first.',
  PORT_REFUSED:
    'The machine lets nobody listen there: an address that it does not have, or a port for root alone. Choose another.',
  PORT_IN_USE: 'Another program listens on the port. Choose another, or 0 for a free one.',
  STATE_UNWRITABLE: 'The state folder cannot be written (read-only, full disk, wrong owner). Choose another --state.',
} as const satisfies Record<string, string>

/** A code for machines; closed, so that a switch over it is checked. */
export type ErrorCode = keyof typeof ERROR_CODES
