// oxlint-disable typescript/no-unsafe-member-access, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-return, typescript/no-unsafe-argument -- causes reach into objects of any kind
import { finding } from "../../src/diagnostics/codes.ts";
import type { Finding } from "../../src/diagnostics/finding.ts";
import { issueServing } from "../../src/pki/ca.ts";
import { base64, type Cause, type Loose, later, type Mesh, NOW, namespace, pod, root, service } from "./mesh.ts";

const OLD = "operator.istio.io/version";
const ISTIO = "istio-system";
const INJECTOR = "istio-sidecar-injector";
const meshText =
  (change: (text: string) => string): Cause =>
  (mesh) =>
    mesh.edit("ConfigMap", `${ISTIO}/istio`, ({ data }) => {
      data.mesh = change(data.mesh as string);
    });
const newRoot = async (mesh: Mesh, days: number): Promise<void> => {
  const ca = await root(days);
  mesh.edit("Secret", `${ISTIO}/istio-ca-secret`, (secret) => {
    secret.data = { "ca-cert.pem": base64(ca.certificate), "ca-key.pem": base64(ca.key.pem()) };
  });
};
const container =
  (name: string, change: (status: Loose) => void): Cause =>
  (mesh) =>
    mesh.edit("Pod", name, ({ status }) => change(status.containerStatuses[0]));
const counted =
  (name: string): Cause =>
  (mesh) =>
    void mesh.totals.set(name, 3);
const proxyIs =
  (status: string): Cause =>
  (mesh) => {
    mesh.proxies = mesh.proxies.map((proxy) => ({ ...proxy, status, refusals: ["a field is unknown"] }));
  };
const found = (level: Finding["level"]): Finding => ({
  ...finding(
    "IST0101",
    { object: { kind: "VirtualService", namespace: "shop", name: "web" }, path: [] },
    { what: "host", name: "web", where: "" },
  ),
  level,
});

/** Causes in a mesh that runs, by name of the check. */
export const RUNNING_CAUSES: Readonly<Record<string, Cause>> = {
  // control plane
  "control-plane-elsewhere": (mesh) =>
    mesh.set(service(ISTIO, "istiod-far", {}, { "operator.istio.io/component": "IstiodRemote" })),
  "control-plane-installed": (mesh) => mesh.remove("Deployment", `${ISTIO}/istiod`),
  "control-plane-ready": (mesh) =>
    mesh.edit("Deployment", `${ISTIO}/istiod`, ({ status }) => (status.availableReplicas = 1)),
  "control-plane-rollout": (mesh) =>
    mesh.edit("Deployment", `${ISTIO}/istiod`, ({ status }) => (status.updatedReplicas = 1)),
  "control-plane-images": container(`${ISTIO}/istiod-1`, (status) => {
    status.state = { waiting: { reason: "ImagePullBackOff" } };
  }),
  "control-plane-scheduled": (mesh) =>
    mesh.edit("Pod", `${ISTIO}/istiod-1`, ({ status }) => {
      status.conditions = [
        { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/2 nodes are available" },
      ];
    }),
  "control-plane-restarts": container(`${ISTIO}/istiod-1`, (status) => (status.restartCount = 9)),
  "control-plane-memory": container(`${ISTIO}/istiod-1`, (status) => {
    status.lastState = { terminated: { reason: "OOMKilled" } };
  }),
  "control-plane-requests": (mesh) =>
    mesh.edit("Deployment", `${ISTIO}/istiod`, ({ spec }) => (spec.template.spec.containers[0].resources = {})),
  "control-plane-spread": (mesh) => mesh.edit("Pod", `${ISTIO}/istiod-2`, ({ spec }) => (spec.nodeName = "n1")),
  "control-plane-disruption": (mesh) =>
    mesh.edit("PodDisruptionBudget", `${ISTIO}/istiod`, ({ status }) => (status.disruptionsAllowed = 0)),
  "control-plane-autoscaling": (mesh) =>
    mesh.edit("HorizontalPodAutoscaler", `${ISTIO}/istiod`, ({ status }) => (status.conditions[0].status = "False")),
  "control-plane-service": (mesh) =>
    mesh.edit("Service", `${ISTIO}/istiod`, ({ spec }) => {
      spec.ports = spec.ports.filter(({ port }: { port: number }) => port !== 15_012);
    }),
  "control-plane-endpoints": (mesh) => mesh.remove("EndpointSlice", `${ISTIO}/istiod-x`),
  "control-plane-leader": (mesh) =>
    mesh.edit("Lease", `${ISTIO}/istio-leader`, ({ spec }) => (spec.renewTime = later(-1).toISOString())),
  "control-plane-account": (mesh) => mesh.remove("Role", `${ISTIO}/istiod`),
  "control-plane-permissions": (mesh) => {
    mesh.forbidden = ["tokenreviews"];
  },
  // mesh configuration
  "mesh-config": meshText(() => "- a\n- list"),
  "mesh-config-fields": meshText((text) => `${text}\naccessLogFil: /dev/stdout\n`),
  "mesh-networks": (mesh) =>
    mesh.edit("ConfigMap", `${ISTIO}/istio`, ({ data }) => (data.meshNetworks = "networks: {")),
  "root-namespace": meshText((text) => text.replace(/rootNamespace: .*/, "rootNamespace: elsewhere")),
  "discovery-address": meshText((text) => text.replace(/istiod\.istio-system/, "istiod.istio-sytem")),
  "trust-domain": meshText((text) => text.replace(/trustDomain: .*/, "trustDomain: example.org")),
  "trust-domain-aliases": meshText((text) => `${text}\ntrustDomainAliases: [old.local, cluster.local]\n`),
  "extension-providers": meshText(
    (text) =>
      `${text}\nextensionProviders:\n  - name: authz\n    envoyExtAuthzGrpc: { service: authz.shop.svc.cluster.local, port: 9000 }\n`,
  ),
  // certificates
  "root-certificate": (mesh) => mesh.remove("Secret", `${ISTIO}/istio-ca-secret`),
  "root-key": async (mesh) => {
    const other = await root();
    mesh.edit("Secret", `${ISTIO}/istio-ca-secret`, ({ data }) => (data["ca-key.pem"] = base64(other.key.pem())));
  },
  "root-valid": (mesh) => newRoot(mesh, -0.5),
  "root-expiry": (mesh) => newRoot(mesh, 30),
  "root-strength": (mesh) =>
    mesh.edit("Secret", `${ISTIO}/istio-ca-secret`, ({ data }) => {
      data["ca-cert.pem"] = base64(WEAK);
    }),
  "root-is-ca": async (mesh) => {
    const ca = await root();
    const leaf = await issueServing(ca, { dns: ["a"] }, { notBefore: later(-1), notAfter: later(90) });
    mesh.edit("Secret", `${ISTIO}/istio-ca-secret`, ({ data }) => {
      data["ca-cert.pem"] = base64(leaf.certificate);
    });
  },
  "plugged-ca": async (mesh) => {
    const ca = await root();
    const data = { "ca-cert.pem": base64(ca.certificate), "ca-key.pem": base64(ca.key.pem()) };
    mesh.set({ apiVersion: "v1", kind: "Secret", metadata: { name: "cacerts", namespace: ISTIO }, data });
  },
  "root-configmaps": (mesh) => mesh.remove("ConfigMap", "shop/istio-ca-root-cert"),
  "root-configmaps-match": async (mesh) => {
    const { certificate } = await root();
    mesh.edit("ConfigMap", "shop/istio-ca-root-cert", ({ data }) => (data["root-cert.pem"] = certificate));
  },
  "gateway-certificates": async (mesh) => {
    const { certificate } = await root(3);
    mesh.edit("Secret", `${ISTIO}/shop-tls`, ({ data }) => (data["tls.crt"] = base64(certificate)));
  },
  "serving-names": (mesh) => {
    mesh.serving = mesh.serving.map((each) => ({ ...each, dnsNames: ["istiod.elsewhere.svc"] }));
  },
  "serving-expiry": (mesh) => {
    mesh.serving = mesh.serving.map((each) => ({ ...each, notAfter: later(0.5) }));
  },
  "serving-issuer": async (mesh) => {
    const { certificate: pem } = await issueServing(
      await root(),
      { dns: ["a"] },
      { notBefore: later(-1), notAfter: later(90) },
    );
    mesh.serving = mesh.serving.map((each) => ({ ...each, pem }));
  },
  "workload-certificates": (mesh) => {
    mesh.workloads = mesh.workloads.map((each) => ({ ...each, notAfter: new Date(NOW.getTime() + 60_000) }));
  },
  "workload-roots": (mesh) => {
    mesh.workloads = mesh.workloads.map((each) => ({ ...each, roots: ["0badcafe"] }));
  },
  "workload-identities": (mesh) => {
    mesh.workloads = mesh.workloads.map((each) => ({ ...each, uris: ["spiffe://cluster.local/ns/other/sa/web"] }));
  },
  // versions
  "upgrade-path": (mesh) => {
    mesh.context = { version: "1.7.0", fromVersion: "1.4.2" };
  },
  "version-client": (mesh) => {
    mesh.context = { version: "9.9.0" };
  },
  "version-replicas": (mesh) =>
    mesh.edit("Pod", `${ISTIO}/istiod-2`, ({ spec }) => (spec.containers[0].image = "x/meshd:0.0.1")),
  "version-proxies": (mesh) => {
    mesh.proxies = mesh.proxies.map((proxy) => ({ ...proxy, version: "9.9.0" }));
  },
  "version-gateways": (mesh) =>
    mesh.edit("Deployment", `${ISTIO}/istio-ingressgateway`, ({ metadata }) => (metadata.labels[OLD] = "0.0.1")),
  // injection
  "injector-config": (mesh) => mesh.edit("ConfigMap", `${ISTIO}/${INJECTOR}`, ({ data }) => delete data.values),
  "injector-templates": (mesh) =>
    mesh.edit("ConfigMap", `${ISTIO}/${INJECTOR}`, ({ data }) => (data.config = "templates: { sidecar: x }")),
  "namespace-labels": (mesh) => mesh.set(namespace("shop", { "istio-injection": "true" })),
  "namespace-label-conflict": (mesh) =>
    mesh.set(namespace("shop", { "istio-injection": "enabled", "istio.io/rev": "prod" })),
  "pod-labels": (mesh) =>
    mesh.edit("Pod", "shop/web", ({ metadata }) => (metadata.labels["sidecar.istio.io/inject"] = "True")),
  "pods-injected": (mesh) => mesh.set(pod("shop", "old", { app: "old" }, { name: "app" })),
  "pod-revisions": (mesh) =>
    mesh.edit(
      "Pod",
      "shop/web",
      ({ metadata }) => (metadata.annotations["sidecar.istio.io/status"] = '{"revision":"1-20"}'),
    ),
  "proxy-images": (mesh) => mesh.edit("Pod", "shop/web", ({ spec }) => (spec.containers[0].image = "x/proxy:0.0.1")),
  redirection: (mesh) =>
    mesh.edit("Pod", "shop/web", ({ status }) => {
      status.initContainerStatuses = [{ name: "istio-init", state: { terminated: { exitCode: 255 } } }];
    }),
  "proxies-ready": container("shop/web", (status) => (status.ready = false)),
  "proxies-stable": container("shop/web", (status) => (status.restartCount = 40)),
  "proxy-memory": container("shop/web", (status) => {
    status.lastState = { terminated: { reason: "OOMKilled" } };
  }),
  // proxies
  "proxies-connected": proxyIs("NOT CONNECTED"),
  "proxies-accept": proxyIs("NACK"),
  "proxies-synced": proxyIs("STALE"),
  "proxies-known": (mesh) => mesh.remove("Pod", "shop/web"),
  // gateways
  "load-balancer": (mesh) =>
    mesh.edit("Service", `${ISTIO}/istio-ingressgateway`, (object) => {
      object.metadata.creationTimestamp = later(-1).toISOString();
      object.status = { loadBalancer: {} };
    }),
  "gateway-deployments": (mesh) =>
    mesh.edit("Deployment", `${ISTIO}/istio-ingressgateway`, ({ status }) => (status.availableReplicas = 0)),
  "gateway-address": (mesh) => mesh.edit("Service", `${ISTIO}/istio-ingressgateway`, (object) => delete object.status),
  "gateway-endpoints": (mesh) => mesh.remove("EndpointSlice", `${ISTIO}/istio-ingressgateway-x`),
  "gateway-selectors": (mesh) => mesh.edit("Gateway", "shop/shop", ({ spec }) => (spec.selector = { istio: "ingres" })),
  "gateway-ports": (mesh) => mesh.edit("Gateway", "shop/shop", ({ spec }) => (spec.servers[0].port.number = 9999)),
  "gateway-container-ports": (mesh) =>
    mesh.edit("Service", `${ISTIO}/istio-ingressgateway`, ({ spec }) => (spec.ports[0].targetPort = 1234)),
  "gateway-service": (mesh) => mesh.remove("Service", `${ISTIO}/istio-ingressgateway`),
  // measurements
  "metrics-answered": (mesh) => mesh.totals.clear(),
  "push-errors": counted("pilot_total_xds_internal_errors"),
  "push-rejects": counted("pilot_total_xds_rejects"),
  "streams-refused": counted("pilot_xds_turned_away_total"),
  "signing-errors": counted("citadel_server_csr_sign_err_count"),
  "signing-requests": counted("citadel_server_csr_parsing_err_count"),
  "signing-callers": counted("citadel_server_authentication_failure_count"),
  "injection-failures": counted("sidecar_injection_failure_total"),
  // configuration
  "config-errors": (mesh) => void mesh.findings.push(found("Error")),
  "config-warnings": (mesh) => void mesh.findings.push(found("Warning")),
  "deprecated-fields": (mesh) =>
    void mesh.findings.push(
      finding(
        "IST0002",
        { object: { kind: "WasmPlugin", namespace: "shop", name: "a" }, path: [] },
        { kind: "WasmPlugin", field: "targetRef", instead: "Use targetRefs." },
      ),
    ),
  "deprecated-annotations": (mesh) =>
    mesh.edit("Pod", "shop/web", ({ metadata }) => (metadata.annotations["sidecar.istio.io/inject"] = "true")),
  "annotation-values": (mesh) =>
    mesh.edit("Pod", "shop/web", ({ metadata }) => (metadata.annotations["sidecar.istio.io/proxyCPU"] = "much")),
  "deprecated-versions": (mesh) =>
    mesh.edit(
      "Gateway",
      "shop/shop",
      ({ metadata }) => (metadata.managedFields[0].apiVersion = "networking.istio.io/v1alpha3"),
    ),
};

/** A self-signed CA certificate with an RSA key of 1024 bits, made with openssl for this test; its key is nowhere. */
const WEAK = `-----BEGIN CERTIFICATE-----
MIICDDCCAXWgAwIBAgIUQoSjZS0v3p62Gil97XQSfa9WLhYwDQYJKoZIhvcNAQEL
BQAwGDEWMBQGA1UECgwNY2x1c3Rlci5sb2NhbDAeFw0yNjExMjExMjI1MTNaFw00
NjAxMjAxMjI1MTNaMBgxFjAUBgNVBAoMDWNsdXN0ZXIubG9jYWwwgZ8wDQYJKoZI
hvcNAQEBBQADgY0AMIGJAoGBAO3hMnh5lBHDkp9mOkWarr5+uSEMnQqKAysnwRWM
AKqVCrRylaYH28eZO5I9of7ygD/Ez9a3RXp1IQX6rdxGcDNZcn8+y5vaEbR1/er1
zMtpzol2T7PxJZXrMuIwAMCjqyHHg5qfIUYlelOnRWoMmgE+CfCr+mv+jUN+91Wg
Du+ZAgMBAAGjUzBRMB0GA1UdDgQWBBSES4awPDGkQF9fE4e8TldO/5iIBDAfBgNV
HSMEGDAWgBSES4awPDGkQF9fE4e8TldO/5iIBDAPBgNVHRMBAf8EBTADAQH/MA0G
CSqGSIb3DQEBCwUAA4GBAE+MOE8hudTotnlUZpVoST2JXJCOeCDWZwVI8Gzj7vDu
pU+wNRbs5jKXmnwzo7PCJPy/aH26Y7yxE14dxr/l8pKfRvRXdOtJvhizKAIYA7cr
+8oJyCr1CjhPMwpn9KbU9M/hv9LL3fxthI3ifbQVQyhbuhzNKbzAzedmXBGdPKrA
-----END CERTIFICATE-----
`;
