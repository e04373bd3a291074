import { pathText } from "../base/field-path.ts";
import { effectReason, settledAdvice } from "./effect-reasons.ts";
import { own } from "../base/own.ts";
import { type KindName, kindOf } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";

/**
 * Which fields of a spec have effect. `true`: all below; a list: each item; `*`: every value of a map; a function: values
 * that have effect. Whatever is not named here is accepted and does nothing, and must be said so: no field is dropped
 * silently. A feature that begins to read a field adds it here.
 */
type Effective =
  | true
  | ((value: unknown, name: string) => boolean)
  | readonly [Effective]
  | { readonly [field: string]: Effective };

/** The field name that stands for every key of a map. */
const EACH = "*";

const MTLS: Effective = { mode: true };

const PORT_POLICY = {
  loadBalancer: {
    simple: true,
    consistentHash: true,
    warmup: true,
    warmupDurationSecs: true,
    localityLbSetting: true,
    zoneAwareLbSetting: true,
  },
  connectionPool: true,
  outlierDetection: {
    consecutive5xxErrors: true,
    consecutiveGatewayErrors: true,
    consecutiveLocalOriginFailures: true,
    splitExternalLocalOriginErrors: true,
    interval: true,
    baseEjectionTime: true,
    maxEjectionPercent: true,
    minHealthPercent: true,
    outlierDetectionHttpErrorCodes: true,
  },
  tls: {
    mode: true,
    sni: true,
    subjectAltNames: true,
    caCertificates: true,
    clientCertificate: true,
    privateKey: true,
    caCrl: true,
    // of gateways and selected sidecars; others go by the files
    credentialName: true,
    insecureSkipVerify: true,
  },
} as const;

const TRAFFIC_POLICY: Effective = {
  ...PORT_POLICY,
  portLevelSettings: [{ port: true, ...PORT_POLICY }],
  tunnel: true,
  proxyProtocol: true,
  retryBudget: true,
};

const SIDECAR_PORT = { number: true, protocol: true, name: true } as const;
/** Of connections to the application: which protocol it is spoken to in is the port's. */
const SIDECAR_POOL: Effective = {
  tcp: true,
  http: {
    http1MaxPendingRequests: true,
    http2MaxRequests: true,
    maxRequestsPerConnection: true,
    maxRetries: true,
    idleTimeout: true,
    useClientProtocol: true,
    maxConcurrentStreams: true,
    http2KeepAlive: true,
  },
};
/** Certificates of a sidecar's own port are files beside the proxy. */
const PORT_TLS = {
  serverCertificate: true,
  privateKey: true,
  caCertificates: true,
  caCrl: true,
  subjectAltNames: true,
  verifyCertificateSpki: true,
  verifyCertificateHash: true,
  minProtocolVersion: true,
  maxProtocolVersion: true,
  cipherSuites: true,
  insecureSkipVerify: true,
  // roots are one for all certificates
  tlsCertificates: [{ serverCertificate: true, privateKey: true }],
} as const;

/** Other targets need a waypoint, and there are none. */
const isGateway = (kind: unknown): boolean => kind === "Gateway";
const GATEWAY_TARGET: Effective = { group: true, kind: isGateway, name: true, namespace: true };
const SECURITY_TARGETS = { selector: true, targetRef: GATEWAY_TARGET, targetRefs: [GATEWAY_TARGET] } as const;

const EXTENSION = { phase: true, priority: true, match: true } as const;
/** Signatures of images are not checked, nor does Istio: verificationKey is not among these. */
const MODULE = {
  url: true,
  sha256: true,
  imagePullPolicy: true,
  imagePullSecret: true,
  pluginConfig: true,
  pluginName: true,
  failStrategy: true,
  vmConfig: true,
  type: true,
} as const;

const CALLER = { port: true, gateways: true, sourceLabels: true, sourceNamespace: true } as const;

const EFFECTIVE: { readonly [K in KindName]?: Effective } = {
  VirtualService: {
    hosts: true,
    gateways: true,
    exportTo: true,
    http: [
      {
        name: true,
        match: [
          {
            ...CALLER,
            name: true,
            uri: true,
            scheme: true,
            method: true,
            authority: true,
            headers: true,
            withoutHeaders: true,
            queryParams: true,
            ignoreUriCase: true,
            statPrefix: true,
          },
        ],
        route: true,
        redirect: true,
        directResponse: true,
        delegate: true,
        rewrite: true,
        timeout: true,
        retries: true,
        fault: {
          delay: { fixedDelay: true, percentage: true, percent: true },
          abort: { httpStatus: true, grpcStatus: true, percentage: true },
        },
        mirror: true,
        mirrors: true,
        mirrorPercentage: true,
        mirrorPercent: true,
        mirror_percent: true,
        corsPolicy: true,
        headers: true,
      },
    ],
    tls: [{ match: true, route: true }],
    tcp: [{ match: [{ ...CALLER, destinationSubnets: true }], route: true }],
  },
  DestinationRule: {
    host: true,
    exportTo: true,
    workloadSelector: true,
    trafficPolicy: TRAFFIC_POLICY,
    subsets: [{ name: true, labels: true, trafficPolicy: TRAFFIC_POLICY }],
  },
  Gateway: {
    selector: true,
    servers: [
      {
        name: true,
        bind: true,
        hosts: true,
        port: { number: true, name: true, protocol: true },
        tls: {
          ...PORT_TLS,
          mode: true,
          httpsRedirect: true,
          credentialName: true,
          credentialNames: true,
          caCertCredentialName: true,
        },
      },
    ],
  },
  ServiceEntry: {
    hosts: true,
    addresses: true,
    ports: true,
    location: true,
    resolution: true,
    endpoints: [workloadEntry()],
    workloadSelector: true,
    exportTo: true,
    subjectAltNames: true,
  },
  WorkloadEntry: workloadEntry(),
  WorkloadGroup: { metadata: true, template: { ...workloadEntry(), address: () => false }, probe: true },
  Sidecar: {
    workloadSelector: true,
    ingress: [
      {
        port: SIDECAR_PORT,
        bind: true,
        captureMode: true,
        defaultEndpoint: true,
        tls: { ...PORT_TLS, mode: (value) => value === "SIMPLE" || value === "MUTUAL" },
        connectionPool: SIDECAR_POOL,
      },
    ],
    egress: [{ port: SIDECAR_PORT, bind: true, captureMode: true, hosts: true }],
    outboundTrafficPolicy: { mode: true, egressProxy: true },
    inboundConnectionPool: SIDECAR_POOL,
  },
  EnvoyFilter: {
    workloadSelector: true,
    targetRefs: true,
    priority: true,
    configPatches: [
      {
        // bootstraps are the agents'
        applyTo: (value) => value !== "BOOTSTRAP",
        match: {
          context: (value) => value !== "WAYPOINT",
          proxy: true,
          listener: { name: true, portNumber: true, listenerFilter: true, filterChain: true },
          routeConfiguration: true,
          cluster: true,
        },
        patch: true,
      },
    ],
  },
  // read by injection
  ProxyConfig: { selector: true, concurrency: true, environmentVariables: true, image: true },
  AuthorizationPolicy: { ...SECURITY_TARGETS, rules: true, action: true, provider: true },
  RequestAuthentication: { ...SECURITY_TARGETS, jwtRules: true },
  RateLimitPolicy: {
    selector: true,
    targetRefs: [{ ...GATEWAY_TARGET, kind: (kind: unknown) => isGateway(kind) || kind === "Service" }],
    limits: true,
    status: true,
    enforcedPercent: true,
    xRatelimitHeaders: true,
    failureModeDeny: true,
    timeout: true,
  },
  PeerAuthentication: { selector: true, mtls: MTLS, portLevelMtls: { [EACH]: MTLS } },
  Telemetry: {
    ...SECURITY_TARGETS,
    tracing: true,
    metrics: [{ providers: true, overrides: true, reportingInterval: true }],
    accessLogging: true,
  },
  WasmPlugin: { ...SECURITY_TARGETS, ...EXTENSION, ...MODULE },
  TrafficExtension: { ...SECURITY_TARGETS, ...EXTENSION, wasm: MODULE, lua: true },
  HTTPRoute: {
    parentRefs: true,
    hostnames: true,
    // filters that nobody applies are told by the route's conditions
    rules: [{ name: true, matches: true, filters: true, backendRefs: true, timeouts: true, retry: true }],
  },
  GRPCRoute: {
    parentRefs: true,
    hostnames: true,
    rules: [{ name: true, matches: true, filters: true, backendRefs: true }],
  },
  BackendTLSPolicy: { targetRefs: true, validation: true },
  GatewayClass: { controllerName: true, parametersRef: true, description: true },
  TCPRoute: { parentRefs: true, rules: true },
  TLSRoute: { parentRefs: true, hostnames: true, rules: true },
  KubernetesGateway: {
    gatewayClassName: true,
    listeners: true,
    addresses: [{ type: (value) => value === "Hostname" || value === "IPAddress", value: true }],
    infrastructure: true,
    tls: { frontend: true },
  },
};

function workloadEntry(): { readonly [field: string]: Effective } {
  return {
    address: true,
    ports: true,
    labels: true,
    locality: true,
    weight: true,
    serviceAccount: true,
    network: true,
  };
}

/** Kinds that are judged here, sorted. */
export const judgedKinds: readonly KindName[] = (Object.keys(EFFECTIVE) as KindName[]).toSorted();

/** Paths of an object's fields that are accepted but change nothing yet. */
export function fieldsWithoutEffect(object: KubeObject): readonly (readonly (string | number)[])[] {
  const kind = kindOf(object);
  if (kind === undefined) return [];
  const effective = EFFECTIVE[kind];
  const found: Path[] = [];
  if (effective !== undefined) collectIdle(object.spec, effective, ["spec"], found);
  return found;
}

/** What is told about such fields, and what to do about them. `paths` are of one object and not empty. */
export function effectAdvice(paths: readonly Path[]): { problem: string; hint: string } {
  const reasons = paths.flatMap((path) => effectReason(path) ?? []);
  if (reasons.length === paths.length) return settledAdvice(paths.map(pathText).join(", "), reasons);
  return { problem: `accepted, has no effect yet: ${paths.map(pathText).join(", ")}`, hint: "Do not rely on it." };
}

type Path = readonly (string | number)[];

/** Collects into `found`; one shared `path` is walked up and down, since most fields have effect and need none of their own. */
function collectIdle(value: unknown, effective: Effective, path: (string | number)[], found: Path[]): void {
  if (effective === true || value === undefined || value === null) return;
  if (typeof effective === "function") {
    if (!effective(value, String(path.at(-1)))) found.push([...path]);
  } else if (isList(effective)) {
    if (!Array.isArray(value)) return;
    for (let index = 0; index < value.length; index++) {
      path.push(index);
      collectIdle(value[index], effective[0], path, found);
      path.pop();
    }
  } else if (typeof value === "object")
    collectIdleFields(value as Readonly<Record<string, unknown>>, effective, path, found);
}

function collectIdleFields(
  value: Readonly<Record<string, unknown>>,
  effective: { readonly [field: string]: Effective },
  path: (string | number)[],
  found: Path[],
): void {
  for (const key of Object.keys(value)) {
    const below = own(effective, key) ?? own(effective, EACH);
    if (below === true) continue;
    path.push(key);
    if (below === undefined) found.push([...path]);
    else collectIdle(value[key], below, path, found);
    path.pop();
  }
}

function isList(effective: Effective): effective is readonly [Effective] {
  return Array.isArray(effective);
}
