import { CUSTOM_SCALES } from '../resources/resource.ts'

type Described = Readonly<Record<string, Readonly<Record<string, string>>>>

const POLICY = { ParamKind: 'ParamKind specifies the kind of resources used to parameterize this policy' }
const BINDING = {
  PolicyName: 'PolicyName indicates the policy definition which the policy binding binded to',
  ParamRef: 'ParamRef indicates the param resource which sets the configuration param',
}
const WEBHOOKS = { Webhooks: 'Webhooks indicates the number of webhooks registered in this configuration' }
const QUEUES = '@flowcontrol.v1.QueuingConfiguration'

/** What the columns of the kinds that configure the server say of themselves; see descriptions.ts. */
export const OTHER_DESCRIPTIONS: Described = {
  '/componentstatuses': {
    Status: 'Status of the component conditions',
    Message: 'Message of the component conditions',
    Error: 'Error of the component conditions',
  },
  'apiextensions.k8s.io/customresourcedefinitions': {
    Scope: 'Cluster/Namespaced',
    Versions: 'Served versions',
    Group: 'API group',
    Kind: 'CustomResource kind',
    ShortNames: 'Short names',
    Established: 'Established status',
  },
  'apiregistration.k8s.io/apiservices': {
    Service: 'The reference to the service that hosts this API endpoint.',
    Available: 'Whether this service is available.',
  },
  'admissionregistration.k8s.io/validatingadmissionpolicies': {
    ...POLICY,
    Validations: 'Validations indicates the number of validation rules defined in this configuration',
  },
  'admissionregistration.k8s.io/mutatingadmissionpolicies': {
    ...POLICY,
    Mutations: 'Mutation indicates the number of mutations rules defined in this configuration',
  },
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': BINDING,
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': BINDING,
  'admissionregistration.k8s.io/validatingwebhookconfigurations': WEBHOOKS,
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': WEBHOOKS,
  'certificates.k8s.io/certificatesigningrequests': {
    SignerName:
      'Requested signer for the request. It is a qualified name in the form: `scope-hostname.io/name`. If empty, it will be defaulted: 1. If it\'s a kubelet client certificate, it is assigned "kubernetes.io/kube-apiserver-client-kubelet". 2. If it\'s a kubelet serving certificate, it is assigned "kubernetes.io/kubelet-serving". 3. Otherwise, it is assigned "kubernetes.io/legacy-unknown". Distribution of trust for signers happens out of band. You can select on this field using `spec.signerName`.',
    Requestor: 'Base64-encoded PKCS#10 CSR data',
    RequestedDuration: '@certificates.v1.CertificateSigningRequestSpec.expirationSeconds',
    Condition: 'Conditions applied to the request, such as approval or denial.',
  },
  'certificates.k8s.io/clustertrustbundles': { SignerName: '@certificates.v1.ClusterTrustBundleSpec.signerName' },
  'autoscaling/scales': {
    Desired: '@autoscaling.v1.ScaleSpec.replicas',
    Available: '@autoscaling.v1.ScaleStatus.replicas',
  },
  [CUSTOM_SCALES]: { Desired: 'Number of desired replicas', Available: 'Number of actual replicas' },
  'networking.k8s.io/ipaddresses': { ParentRef: '@networking.v1.IPAddressSpec.parentRef' },
  'networking.k8s.io/servicecidrs': { CIDRs: '@networking.v1.ServiceCIDRSpec.cidrs' },
  'resource.k8s.io/resourceclaims': { State: 'A summary of the current state (allocated, pending, reserved, etc.).' },
  'resource.k8s.io/resourceslices': {
    Node: '@resource.v1.ResourceSliceSpec.nodeName',
    Driver: '@resource.v1.ResourceSliceSpec.driver',
    Pool: '@resource.v1.ResourcePool.name',
  },
  'resource.k8s.io/devicetaintrules': {
    Key: '@resource.v1.DeviceTaint.key',
    Value: '@resource.v1.DeviceTaint.value',
    Effect: '@resource.v1.DeviceTaint.effect',
    TimeAdded: '@resource.v1.DeviceTaint.timeAdded',
  },
  'flowcontrol.apiserver.k8s.io/flowschemas': {
    PriorityLevel: '@flowcontrol.v1.PriorityLevelConfigurationReference.name',
    MatchingPrecedence: '@flowcontrol.v1.FlowSchemaSpec.matchingPrecedence',
    DistinguisherMethod: '@flowcontrol.v1.FlowSchemaSpec.distinguisherMethod',
    MissingPL: 'references a broken or non-existent PriorityLevelConfiguration',
  },
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': {
    Type: '@flowcontrol.v1.PriorityLevelConfigurationSpec.type',
    NominalConcurrencyShares: '@flowcontrol.v1.LimitedPriorityLevelConfiguration.nominalConcurrencyShares',
    Queues: `${QUEUES}.queues`,
    HandSize: `${QUEUES}.handSize`,
    QueueLengthLimit: `${QUEUES}.queueLengthLimit`,
  },
}
