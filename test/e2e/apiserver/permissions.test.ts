import { afterAll, beforeAll, expect, test } from "vitest";
import { openDeltaStream, openReportStream } from "../../../src/grpc/ads-client.ts";
import { render } from "../../../src/install/render.ts";
import { settingsOf } from "../../../src/install/settings.ts";
import { readAuthority } from "../../../src/pki/authority-secret.ts";
import { createRoot } from "../../../src/pki/ca.ts";
import { revoke } from "../../../src/pki/revocation.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { TYPE_URLS } from "../../../src/xds/types.ts";
import { grantsOf, grantText, unusedGrants } from "../../support/controlplane/grants.ts";
import { type Installed, install, rootCert } from "../../support/controlplane/installed.ts";
import { applyGatewayApi, pod } from "../../support/controlplane/mesh-objects.ts";
import type { AuditedRequest } from "../../support/kube/apiserver.ts";
import { waitFor } from "../../support/wait.ts";
import { crd } from "./precheck-conditions.ts";

// What meshd may do, against what it does, by the audit log of a real kube-apiserver with RBAC on: each verb granted is used,
// and nothing is refused. Everything that meshd does for others is asked for once.

const USER = "system:serviceaccount:istio-system:istiod";
const ANALYSIS = "components.pilot.k8s.env.PILOT_ENABLE_ANALYSIS=true";
const EXPORTS = "components.pilot.k8s.env.ENABLE_MCS_AUTO_EXPORT=true";

let mesh: Installed;
const open: (() => void)[] = [];

beforeAll(async () => {
  mesh = await install({ analysis: true, audit: true, set: [EXPORTS] });
  await applyGatewayApi(mesh.cluster);
  for (const kind of ["ServiceExport", "ServiceImport"])
    await mesh.cluster.create(crd("multicluster.x-k8s.io", { plural: `${kind.toLowerCase()}s`, kind }, "v1alpha1"));
  for (const object of MESH) await mesh.cluster.create(object);
  const gateway = { apiVersion: "v1", kind: "Service", namespace: "istio-system", name: "istio-ingressgateway" };
  await mesh.cluster.mergePatch(gateway, { spec: { externalIPs: ["203.0.113.7"] } });
  for (const [apiVersion, kind, spec] of JUDGED) {
    await mesh.cluster.create({ apiVersion, kind, metadata: { name: "judged", namespace: "shop" }, spec });
    const place = { apiVersion, kind, namespace: "shop", name: "judged" };
    const conditions = [{ type: "PassedAnalysis", status: "False" }];
    await mesh.cluster.mergePatch(place, { status: { conditions } }, { subresource: "status" });
  }
  await mesh.startPlane({ exportsServices: true, mcs: { discovery: true, host: true, clusterLocal: false } });
});
afterAll(async () => {
  for (const close of open) close();
  await mesh?.stop();
});

/** Objects with a verdict from before, which is to be taken back: one of each group. */
const JUDGED = [
  ["networking.istio.io/v1", "Sidecar", {}],
  ["security.istio.io/v1", "PeerAuthentication", {}],
  ["telemetry.istio.io/v1", "Telemetry", {}],
  ["extensions.istio.io/v1alpha1", "WasmPlugin", { url: "oci://example.com/plugin:1" }],
  ["meshctl.io/v1alpha1", "RateLimitPolicy", { limits: [{ name: "a", local: { maxTokens: 1, fillInterval: "1s" } }] }],
] as const;

const MESH: readonly KubeObject[] = [
  // a certificate to hand out, to an account that may read it
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "secrets", namespace: "shop" },
    rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["list"] }],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "secrets", namespace: "shop" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "secrets" },
    subjects: [{ kind: "ServiceAccount", name: "web", namespace: "shop" }],
  },
  {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name: "edge", namespace: "shop" },
    spec: {
      selector: { app: "edge" },
      servers: [
        {
          port: { number: 8443, name: "https", protocol: "HTTPS" },
          hosts: ["shop.example.com"],
          tls: { mode: "SIMPLE", credentialName: "shop-cert" },
        },
      ],
    },
  },
  // a listener of Gateway API, with what its clients' certificates are checked by
  {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "public", namespace: "shop" },
    spec: {
      gatewayClassName: "istio",
      // with everything that can be made for a Gateway
      infrastructure: { parametersRef: { group: "", kind: "ConfigMap", name: "pods" } },
      listeners: [
        {
          name: "web",
          port: 8444,
          protocol: "HTTPS",
          tls: { certificateRefs: [{ name: "web-cert" }] },
        },
      ],
      tls: {
        frontend: {
          default: { validation: { caCertificateRefs: [{ group: "", kind: "ConfigMap", name: "roots" }] } },
        },
      },
    },
  },
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "pods", namespace: "shop" },
    data: {
      horizontalPodAutoscaler: "spec: { minReplicas: 1, maxReplicas: 2 }",
      podDisruptionBudget: "spec: { minAvailable: 1 }",
    },
  },
  // an Ingress, which is reached at the address of the gateway's Service
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "site", namespace: "shop", annotations: { "kubernetes.io/ingress.class": "istio" } },
    spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } } },
  },
  // a machine that may register
  {
    apiVersion: "networking.istio.io/v1",
    kind: "WorkloadGroup",
    metadata: { name: "machines", namespace: "shop" },
    spec: { template: { serviceAccount: "other" } },
  },
];

/** How a proxy of this kind, or its agent, speaks to meshd. */
async function caller(who: { name: string; account: string; ip: string; type: string; uid?: string; group?: string }) {
  const { name, account, ip, type, uid, group } = who;
  const metadata = { NAMESPACE: "shop", SERVICE_ACCOUNT: account, INSTANCE_IPS: ip };
  const bound = uid === undefined ? undefined : { name, uid };
  return {
    address: { host: "127.0.0.1", port: mesh.ports.secureGrpc },
    serverName: "istiod.istio-system.svc",
    roots: await mesh.roots(),
    credential: { kind: "token", token: await mesh.tokenOf("shop", account, bound) },
    clusterId: "Kubernetes",
    node: {
      id: `${type}~${ip}~${name}.shop~shop.svc.cluster.local`,
      metadata: group === undefined ? metadata : { ...metadata, AUTO_REGISTER_GROUP: group },
    },
  } as const;
}

const silent = {
  onResource: () => undefined,
  onRemoved: () => undefined,
  onSettled: () => undefined,
  onEnd: () => undefined,
};

/** What meshd did, as soon as such a request is among it. */
function audited(what: string, isIt: (request: AuditedRequest) => boolean): Promise<readonly AuditedRequest[]> {
  return waitFor(
    async () => {
      const all = await mesh.server.audited(USER);
      return all.some(isIt) ? all : undefined;
    },
    { timeoutMs: 30_000, what },
  );
}

function isRequest(verb: string, resource: string, subresource?: string): (request: AuditedRequest) => boolean {
  return ({ verb: asked, objectRef: ref }) =>
    asked === verb && ref?.resource === resource && ref.subresource === subresource;
}

test("each verb that is granted is used, and nothing that is asked for is refused", async () => {
  const machine = await caller({ name: "m1", account: "other", ip: "10.9.0.1", type: "sidecar", group: "machines" });
  const health = openReportStream(machine, () => undefined);
  health.send(undefined);
  const leave = openDeltaStream({ ...machine, typeUrl: TYPE_URLS.cluster, held: {} }, silent);
  open.push(leave, () => health.close());
  await audited("the machine's health", isRequest("patch", "workloadentries", "status"));
  // it is gone: its entry goes when nobody has come back
  leave();
  health.close();

  const uid = await pod(
    mesh.cluster,
    { namespace: "shop", name: "edge-1", account: "web", ip: "10.9.0.2" },
    { app: "edge" },
  );
  const edge = await caller({ name: "edge-1", account: "web", ip: "10.9.0.2", type: "router", uid });
  open.push(openDeltaStream({ ...edge, typeUrl: TYPE_URLS.listener, held: {} }, silent));

  await mesh.cluster.mergePatch(rootCert("shop"), { data: { "root-cert.pem": "nonsense" } });
  await Promise.all([
    audited("the gateway's Secret", isRequest("watch", "secrets")),
    ...["sidecars", "peerauthentications", "telemetries", "wasmplugins"].map((kind) =>
      audited(`the verdict on ${kind}`, isRequest("patch", kind, "status")),
    ),
    audited("the Gateway's status", isRequest("patch", "gateways", "status")),
    audited("the Ingress's status", isRequest("patch", "ingresses", "status")),
    audited("the Gateway's class", isRequest("create", "gatewayclasses")),
    ...["serviceaccounts", "deployments", "services", "horizontalpodautoscalers", "poddisruptionbudgets"].flatMap(
      (made) => [
        audited(`the Gateway's ${made}`, isRequest("patch", made)),
        ...(made === "services" ? [] : [audited(`what follows ${made}`, isRequest("watch", made))]),
      ],
    ),
    audited("the root certificate put back", isRequest("patch", "configmaps")),
    audited("a Service shared with other clusters", isRequest("create", "serviceexports")),
    audited("the webhook proven", isRequest("create", "gateways")),
    audited("the lease renewed", isRequest("update", "leases")),
    audited("the machine's entry to go", isRequest("delete", "workloadentries")),
  ]);
  const own = { apiVersion: "v1", kind: "Secret", namespace: "istio-system", name: "istio-ca-secret" };
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  // what is revoked: written into every namespace, and later once more
  const { ca } = await readAuthority("istio-ca-secret", (await mesh.cluster.get(own))?.["data"]);
  const first = await revoke(ca, "", ["5f"], new Date());
  for (const lists of [first, await revoke(ca, first, ["60"], new Date())]) {
    await mesh.cluster.mergePatch(own, { data: { "ca-crl.pem": base64(lists) } });
    const told = async () =>
      (await mesh.cluster.get({ ...rootCert("shop"), name: "istio-ca-crl" }))?.["data"] as Record<string, string>;
    await waitFor(async () => (await told())["ca-crl.pem"] === lists, { timeoutMs: 30_000, what: "the lists" });
  }
  await audited(
    "what is trusted no more kept",
    ({ verb, objectRef }) => verb === "patch" && objectRef?.name === "meshd-trust",
  );
  // a root of our own that is nearly over
  const year = 365 * 24 * 3_600_000;
  const old = { notBefore: new Date(Date.now() - 9 * year), notAfter: new Date(Date.now() + year) };
  const root = await createRoot("cluster.local", old);
  const data = { "ca-cert.pem": base64(root.certificate), "ca-key.pem": base64(root.key.pem()) };
  await mesh.cluster.mergePatch(own, { data });
  await audited("the root renewed", isRequest("patch", "secrets"));
  await mesh.stopPlane();

  const requests = await mesh.server.audited(USER);
  expect(requests.filter(({ responseStatus }) => responseStatus?.code === 403)).toEqual([]);
  const roles = render(settingsOf("default", [ANALYSIS, EXPORTS]))
    .flatMap(({ objects }) => objects)
    .filter(({ kind, metadata }) => kind.endsWith("Role") && metadata.name.startsWith("istiod"));
  expect(unusedGrants(grantsOf(roles), requests).map(grantText)).toEqual([]);
});
