import { pick, type Random } from "./random.ts";

/** What differs between services. */
export interface Unit {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly ports: 1 | 2;
  readonly replicas: number;
  /** Per cent to the second version. */
  readonly weight: number;
  readonly timeout: number;
  /** Served by the team's gateway. */
  readonly exposed: boolean;
}

/** Objects of one service, by what they are for. Texts end with a line feed. */
export interface UnitObjects {
  readonly account: string;
  readonly service: string;
  readonly first: string;
  readonly second: string;
  readonly route: string;
  readonly rule: string;
  readonly policy: string;
  /** Objects that only a mistake adds. */
  readonly [added: string]: string;
}

/** Where a service of a team can be reached from outside. */
export function publicHost({ namespace, name }: Pick<Unit, "namespace" | "name">): string {
  return `${name}.${namespace}.example.com`;
}

function shared(): readonly string[] {
  return [
    `apiVersion: v1
kind: Namespace
metadata:
  name: istio-system
`,
    `apiVersion: v1
kind: Service
metadata:
  name: istio-ingressgateway
  namespace: istio-system
  labels: { app: istio-ingressgateway, istio: ingressgateway }
spec:
  type: LoadBalancer
  selector: { app: istio-ingressgateway, istio: ingressgateway }
  ports:
    - { name: status-port, port: 15021, targetPort: 15021 }
    - { name: http2, port: 80, targetPort: 8080 }
    - { name: https, port: 443, targetPort: 8443 }
`,
    `apiVersion: v1
kind: ServiceAccount
metadata:
  name: istio-ingressgateway
  namespace: istio-system
`,
    `apiVersion: apps/v1
kind: Deployment
metadata:
  name: istio-ingressgateway
  namespace: istio-system
spec:
  selector:
    matchLabels: { app: istio-ingressgateway, istio: ingressgateway }
  template:
    metadata:
      labels: { app: istio-ingressgateway, istio: ingressgateway, sidecar.istio.io/inject: "true" }
      annotations: { inject.istio.io/templates: gateway }
    spec:
      serviceAccountName: istio-ingressgateway
      containers:
        - name: istio-proxy
          image: docker.io/istio/proxyv2:1.30.0
          ports:
            - { containerPort: 8080 }
            - { containerPort: 8443 }
`,
  ];
}

function entry(namespace: string, index: number): string {
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: partner-${index}
  namespace: ${namespace}
spec:
  hosts:
    - api-${index}.${namespace}.partner.example.net
  location: MESH_EXTERNAL
  resolution: DNS
  exportTo: ["."]
  ports:
    - { number: 443, name: tls, protocol: TLS }
    - { number: 80, name: http, protocol: HTTP }
`;
}

function ofTeam(namespace: string, next: Random): readonly string[] {
  return [
    `apiVersion: v1
kind: Namespace
metadata:
  name: ${namespace}
  labels:
    istio-injection: enabled
    cost-centre: "${1000 + Math.floor(next() * 900)}"
`,
    `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
  namespace: ${namespace}
spec:
  mtls:
    mode: ${pick(next, ["STRICT", "PERMISSIVE"])}
`,
    `apiVersion: networking.istio.io/v1
kind: Sidecar
metadata:
  name: default
  namespace: ${namespace}
spec:
  egress:
    - hosts: ["./*", "istio-system/*"]
`,
    `apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: public
  namespace: ${namespace}
spec:
  selector: { app: istio-ingressgateway, istio: ingressgateway }
  servers:
    - port: { number: 80, name: http, protocol: HTTP }
      hosts:
        - "./*.${namespace}.example.com"
    - port: { number: 443, name: tls, protocol: TLS }
      hosts:
        - "./*.${namespace}.tls.example.com"
      tls: { mode: PASSTHROUGH }
`,
    ...[0, 1, 2].map((index) => entry(namespace, index)),
    `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: api
  namespace: ${namespace}
spec:
  gatewayClassName: istio
  listeners:
    - { name: http, protocol: HTTP, port: 8080, hostname: "*.${namespace}.api.example.com" }
`,
  ];
}

/** A route of the unit at the team's Gateway of Gateway API, to `backend`. */
export function apiRoute({ namespace, name }: Unit, backend: string, hostname: string): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: ${name}-api
  namespace: ${namespace}
spec:
  parentRefs: [{ name: api }]
  hostnames: [${hostname}]
  rules:
    - matches: [{ path: { type: PathPrefix, value: /api } }]
      backendRefs: [{ name: ${backend}, port: 80 }]
`;
}

function deployment(unit: Unit, version: "v1" | "v2"): string {
  const { namespace, name, port, replicas } = unit;
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}-${version}
  namespace: ${namespace}
  labels:
    app: ${name}
    version: ${version}
spec:
  replicas: ${version === "v1" ? replicas : 1}
  selector:
    matchLabels:
      app: ${name}
      version: ${version}
  template:
    metadata:
      labels:
        app: ${name}
        version: ${version}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "${port}"
    spec:
      serviceAccountName: ${name}
${podOf(unit, version)}`;
}

function podOf({ namespace, name, port, ports }: Unit, version: "v1" | "v2"): string {
  return `      containers:
        - name: app
          image: registry.example.com/${namespace}/${name}:${version === "v1" ? "2.3.1" : "2.4.0-rc.1"}
          ports:
            - name: http
              containerPort: ${port}
${ports === 2 ? `            - name: grpc\n              containerPort: ${port + 1000}\n` : ""}          env:
            - name: LOG_LEVEL
              value: info
            - name: UPSTREAM_TIMEOUT
              value: 5s
            - name: POD_NAMESPACE
              valueFrom:
                fieldRef: { fieldPath: metadata.namespace }
          volumeMounts:
            - { name: cache, mountPath: /var/cache/${name} }
          livenessProbe:
            httpGet:
              path: /live
              port: http
            initialDelaySeconds: 10
          readinessProbe:
            httpGet:
              path: /ready
              port: http
            periodSeconds: 5
          resources:
            requests: { cpu: 50m, memory: 64Mi }
            limits: { memory: 256Mi }
          securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true }
      volumes:
        - name: cache
          emptyDir: { sizeLimit: 64Mi }
`;
}

/** A VirtualService of the unit. `http` are its rules, indented by four. */
export function route(unit: Unit, http: string, name = unit.name): string {
  const { namespace, exposed } = unit;
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  hosts:
    - ${unit.name}.${namespace}.svc.cluster.local
${exposed ? `    - ${publicHost(unit)}\n  gateways:\n    - mesh\n    - public\n` : ""}  http:
${http}`;
}

/** A rule of a VirtualService that splits between the versions. */
export function split({ namespace, name, weight, timeout }: Unit): string {
  const to = (subset: string, share: number): string => `        - destination:
            host: ${name}.${namespace}.svc.cluster.local
            port: { number: 80 }
            subset: ${subset}
          weight: ${share}
`;
  return `    - name: default
      timeout: ${timeout}s
      retries:
        attempts: 2
        perTryTimeout: ${Math.floor(timeout / 3)}s
        retryOn: connect-failure,refused-stream
      route:
${to("v1", 100 - weight)}${to("v2", weight)}`;
}

function rule({ namespace, name, port }: Unit): string {
  return `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  host: ${name}.${namespace}.svc.cluster.local
  trafficPolicy:
    connectionPool:
      http: { http1MaxPendingRequests: ${port % 400}, maxRequestsPerConnection: 100 }
    outlierDetection: { consecutive5xxErrors: 5, interval: 10s, baseEjectionTime: 30s }
  subsets:
    - name: v1
      labels: { version: v1 }
    - name: v2
      labels: { version: v2 }
`;
}

function policy({ namespace, name, port, exposed }: Unit): string {
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  selector:
    matchLabels:
      app: ${name}
  action: ALLOW
  rules:
    - from:
        - source:
            namespaces: ["${namespace}"${exposed ? ', "istio-system"' : ""}]
      to:
        - operation:
            methods: [GET, POST, PUT]
            ports: ["${port}"]
    - from:
        - source:
            principals: ["cluster.local/ns/${namespace}/sa/${name}"]
`;
}

function service({ namespace, name, ports }: Unit): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: ${namespace}
  labels: { app: ${name} }
spec:
  selector:
    app: ${name}
  ports:
    - name: http
      port: 80
      targetPort: http
${ports === 2 ? "    - name: grpc\n      port: 81\n      targetPort: grpc\n" : ""}`;
}

function ofService(unit: Unit): UnitObjects {
  const { namespace, name, exposed } = unit;
  const api = `${name}.${namespace}.api.example.com`;
  return {
    ...(exposed ? { api: apiRoute(unit, name, api) } : {}),
    account: `apiVersion: v1
kind: ServiceAccount
metadata:
  name: ${name}
  namespace: ${namespace}
  annotations: { example.com/owner: ${namespace}@example.com }
`,
    service: service(unit),
    first: deployment(unit, "v1"),
    second: deployment(unit, "v2"),
    route: route(
      unit,
      `    - name: internal
      match:
        - uri: { prefix: /internal/ }
          gateways: [mesh]
      route:
        - destination:
            host: ${name}.${namespace}.svc.cluster.local
            port: { number: 80 }
            subset: v1
${split(unit)}`,
    ),
    rule: rule(unit),
    policy: policy(unit),
  };
}

function filler(index: number): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings-${index}
  namespace: team-0
data:
  level: info
`;
}

/** Objects, by whom they belong to. */
export const kinds = { shared, ofTeam, ofService, filler } as const;
