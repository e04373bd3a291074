import { connect } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readAuthority } from "../../../src/pki/authority-secret.ts";
import { createRoot } from "../../../src/pki/ca.ts";
import { revoke } from "../../../src/pki/revocation.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { intermediateCa, pluggedData } from "../../support/authorities.ts";
import { type Installed, install, renderedObjects, rootCert } from "../../support/controlplane/installed.ts";
import { applyGatewayApi, namespace } from "../../support/controlplane/mesh-objects.ts";
import { waitFor } from "../../support/wait.ts";

// What meshd writes into a real kube-apiserver, and what the API server asks it: root certificates and webhooks.

/** Who the test is for the API server. */
const ADMIN = expect.stringMatching(/admin/) as string;

let mesh: Installed;
let cluster: Installed["cluster"];
let ports: Installed["ports"];
let roots: string;

beforeAll(async () => {
  mesh = await install();
  ({ cluster, ports } = mesh);
  await mesh.startPlane();
  roots = await mesh.roots();
});

afterAll(async () => {
  await mesh?.stop();
});

test("the root certificate is in every namespace, also a new one, and is put back", async () => {
  await namespace(cluster, "fresh");
  await waitFor(() => cluster.get(rootCert("fresh")), { what: "the root certificate in a new namespace" });
  await cluster.delete(rootCert("fresh"), { propagation: "Background" });
  await waitFor(() => cluster.get(rootCert("fresh")), { what: "the root certificate after deletion" });
  await cluster.mergePatch(rootCert("fresh"), { data: { "root-cert.pem": "nonsense" } });
  const put = async () =>
    ((await cluster.get(rootCert("fresh")))?.["data"] as Record<string, string> | undefined)?.["root-cert.pem"];
  await waitFor(async () => (await put()) === roots, { what: "the root certificate after a change" });
});

test("webhooks: our CA is put into them, pods are injected, bad configuration is refused, Fail only once we are reached", async () => {
  const kind = "admissionregistration.k8s.io/v1";
  const mutating = { apiVersion: kind, kind: "MutatingWebhookConfiguration", name: "istio-sidecar-injector" };
  const validating = { apiVersion: kind, kind: "ValidatingWebhookConfiguration", name: "istio-validator-istio-system" };
  const caBundle = Buffer.from(roots).toString("base64");
  const hooks = async (target: typeof mutating) =>
    ((await cluster.get(target))?.["webhooks"] ?? []) as {
      clientConfig: { caBundle?: string };
      failurePolicy: string;
    }[];
  for (const target of [mutating, validating])
    await waitFor(async () => (await hooks(target)).every((hook) => hook.clientConfig.caBundle === caBundle), {
      what: "our CA",
    });
  expect((await hooks(validating)).map((hook) => hook.failurePolicy)).toEqual(Array(4).fill("Ignore"));

  // Nothing routes service addresses here: the same webhooks once more, by URL.
  const byUrl = (object: KubeObject | undefined, path: string): KubeObject => ({
    apiVersion: kind,
    kind: object!.kind,
    metadata: { name: `by-url-${path}` },
    webhooks: (object!["webhooks"] as Record<string, unknown>[]).map((hook) => ({
      ...hook,
      failurePolicy: "Fail",
      clientConfig: { url: `https://localhost:${ports.https}/${path}`, caBundle },
    })),
  });
  await cluster.delete(mutating, { propagation: "Background" });
  const rendered = renderedObjects().find((object) => object.kind === mutating.kind);
  const injector = byUrl(rendered, "inject");
  await cluster.create(injector);
  await cluster.create(byUrl(await cluster.get(validating), "validate"));
  await cluster.create({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "injected", labels: { "istio-injection": "enabled" } },
  });
  await cluster.create({
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default", namespace: "injected" },
  });
  let count = 0;
  const injected = await waitFor(
    async () => {
      count += 1;
      const created = await cluster.create({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: `app-${count}`, namespace: "injected", labels: { app: "app" } },
        spec: { containers: [{ name: "app", image: "example.test/app:1" }] },
      });
      const containers = (created.spec as { containers: { name: string }[] }).containers.map(({ name }) => name);
      return containers.includes("istio-proxy") ? created : undefined;
    },
    { what: "an injected pod" },
  );
  expect(injected.metadata.annotations?.["sidecar.istio.io/status"]).toContain("istio-proxy");

  const bad: KubeObject = {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "bad", namespace: "shop" },
    spec: { hosts: ["reviews"], http: [{ route: [{ destination: { host: "reviews" }, weight: -1 }] }] },
  };
  await expect(cluster.create(bad)).rejects.toThrow();
  // Now that refusals reach us, the installed webhook may fail closed.
  const policies = async () => (await hooks(validating)).map((hook) => hook.failurePolicy).join();
  // those that are told of deletions stay with Ignore
  await waitFor(async () => (await policies()) === "Fail,Fail,Ignore,Ignore", {
    timeoutMs: 20_000,
    what: "failurePolicy Fail",
  });
  const gateway = {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name: "empty", namespace: "shop" },
    spec: { servers: [] },
  };
  await cluster.delete(validating, { propagation: "Background" });
  await waitFor(
    () =>
      cluster.create(gateway).then(
        () => false,
        (error: Error) => error.message.includes("at least one server"),
      ),
    { what: "the refusal" },
  );
  // who writes and who deletes a policy is written down
  const policy = { apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", namespace: "shop", name: "nobody" };
  const { namespace, name } = policy;
  await cluster.create({ ...policy, metadata: { namespace, name }, spec: {} } as KubeObject);
  await cluster.delete(policy, { propagation: "Background" });
  const written = mesh.log.lines
    .map(({ fields }) => fields)
    .filter((fields) => fields["audit"] === "policy" && fields["name"] === name);
  expect(written).toMatchObject([
    { operation: "CREATE", kind: "AuthorizationPolicy", namespace, user: ADMIN },
    { operation: "DELETE", kind: "AuthorizationPolicy", namespace, user: ADMIN },
  ]);
});

test("a CA that is plugged in is taken over while everything goes on: roots and webhooks follow, there and back", async () => {
  const day = 24 * 3_600_000;
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
  const root = await createRoot("plugged in", validity);
  const made = await intermediateCa(root, "mesh", { kind: "rsa", validity, roots: `${roots}${root.certificate}` });
  const secret = { apiVersion: "v1", kind: "Secret", namespace: "istio-system", name: "cacerts" };
  const { name } = secret;
  const metadata = { name, namespace: secret.namespace };
  await cluster.create({ apiVersion: "v1", kind: "Secret", metadata, data: pluggedData(made) });
  const bundle = async () =>
    ((await cluster.get(rootCert("istio-system")))?.["data"] as Record<string, string> | undefined)?.["root-cert.pem"];
  await waitFor(async () => (await bundle()) === made.roots, { what: "both roots in the ConfigMap" });
  const served = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ host: "localhost", port: ports.https, ca: made.roots, servername: "localhost" }, () => {
        resolve(socket.getPeerX509Certificate()?.issuer ?? "");
        socket.destroy();
      });
      socket.on("error", reject);
    });
  await waitFor(async () => (await served()) === "CN=mesh", { what: "a serving certificate of the new CA" });
  await cluster.delete(secret, { propagation: "Background" });
  await waitFor(async () => (await bundle()) === roots, { what: "our own root again" });
});

test("revocation lists of the CA are in every namespace as long as they can be used", async () => {
  const own = { apiVersion: "v1", kind: "Secret", namespace: "istio-system", name: "istio-ca-secret" };
  const map = { ...rootCert("shop"), name: "istio-ca-crl" };
  const data = async () => (await cluster.get(map))?.["data"] as Record<string, string> | undefined;
  const put = (text: string | null) =>
    cluster.mergePatch(own, { data: { "ca-crl.pem": text === null ? null : Buffer.from(text).toString("base64") } });
  expect(await cluster.get(map)).toBe(undefined);
  const { ca } = await readAuthority("istio-ca-secret", (await cluster.get(own))?.["data"]);
  const lists = await revoke(ca, "", ["5f"], new Date());
  await put(lists);
  await waitFor(async () => (await data())?.["ca-crl.pem"] === lists, { what: "the list" });
  expect((await data())?.["scope"]).toBe("chain");
  await put("nonsense");
  await waitFor(() => mesh.log.lines.some(({ message }) => message.includes("revocations cannot be used")), {
    what: "the words",
  });
  expect((await data())?.["ca-crl.pem"]).toBe(lists);
  await put(null);
  await waitFor(async () => Object.keys((await data()) ?? {}).length === 0, { what: "the list to go" });
});

test("Gateway API: classes, conditions, attached routes and addresses; entries of others stay; quiet when nothing changes", async () => {
  await applyGatewayApi(cluster);
  const api = "gateway.networking.k8s.io/v1";
  const at = (kind: string, name: string) => ({ apiVersion: api, kind, namespace: "shop", name });
  await cluster.create({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "shop" },
    spec: { ports: [{ name: "http", port: 80 }] },
  });
  await cluster.create({
    apiVersion: api,
    kind: "Gateway",
    metadata: { name: "public", namespace: "shop" },
    spec: {
      gatewayClassName: "istio",
      addresses: [{ type: "Hostname", value: "web.shop.svc.cluster.local" }],
      listeners: [{ name: "web", port: 80, protocol: "HTTP" }],
    },
  });
  const parentRefs = [{ name: "public" }];
  const backendRefs = [{ name: "web", port: 80 }];
  await cluster.create({
    apiVersion: api,
    kind: "HTTPRoute",
    metadata: { name: "web", namespace: "shop" },
    spec: { parentRefs, rules: [{ backendRefs }] },
  });
  const foreign = {
    parentRef: { group: "gateway.networking.k8s.io", kind: "Gateway", name: "other" },
    controllerName: "example.com/other",
    conditions: [
      { type: "Accepted", status: "True", reason: "Accepted", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" },
    ],
  };
  await cluster.mergePatch(at("HTTPRoute", "web"), { status: { parents: [foreign] } }, { subresource: "status" });
  await waitFor(() => cluster.get({ apiVersion: api, kind: "GatewayClass", name: "istio" }), { what: "the class" });

  const gateway = () => cluster.get(at("Gateway", "public"));
  const route = () => cluster.get(at("HTTPRoute", "web"));
  const programmed = await waitFor(
    async () => {
      const found = (await gateway())?.status as GatewayStatus | undefined;
      return found?.conditions.some(({ type, status }) => type === "Programmed" && status === "True")
        ? found
        : undefined;
    },
    { what: "the Gateway to be programmed" },
  );
  expect(programmed.addresses).toEqual([{ type: "Hostname", value: "web.shop.svc.cluster.local" }]);
  await waitFor(async () => attached(await gateway()) === 1, { what: "the attached route" });
  const parents = async () => ((await route())?.status as { parents: (typeof foreign)[] } | undefined)?.parents ?? [];
  await waitFor(async () => (await parents()).length === 2, { what: "our entry beside the other's" });
  expect((await parents()).map(({ controllerName }) => controllerName)).toEqual([
    "example.com/other",
    "istio.io/gateway-controller",
  ]);

  // Both write at the same moment: neither entry is lost.
  const raced = Array.from({ length: 12 }, (_, index) => `raced-${index}`);
  for (const name of raced) {
    const metadata = { name, namespace: "shop" };
    await cluster.create({
      apiVersion: api,
      kind: "HTTPRoute",
      metadata,
      spec: { parentRefs, rules: [{ backendRefs }] },
    });
    await cluster.mergePatch(at("HTTPRoute", name), { status: { parents: [foreign] } }, { subresource: "status" });
  }
  for (const name of raced) {
    const both = async (): Promise<boolean> =>
      ((await cluster.get(at("HTTPRoute", name)))?.status as { parents?: unknown[] } | undefined)?.parents?.length ===
      2;
    await waitFor(both, { what: `both entries of ${name}` });
    await cluster.delete(at("HTTPRoute", name), { propagation: "Background" });
  }
  await waitFor(async () => attached(await gateway()) === 1, { what: "one attached route" });

  // A backend that is not there turns one condition and no other; the times of the others stay.
  await cluster.mergePatch(at("HTTPRoute", "web"), {
    spec: { rules: [{ backendRefs: [{ name: "gone", port: 80 }] }] },
  });
  await waitFor(async () => JSON.stringify(await parents()).includes("BackendNotFound"), { what: "the condition" });

  const version = (await gateway())?.metadata.resourceVersion;
  await cluster.mergePatch(at("HTTPRoute", "web"), { metadata: { labels: { touched: "yes" } } });
  await cluster.delete(at("HTTPRoute", "web"), { propagation: "Background" });
  await waitFor(async () => attached(await gateway()) === 0, { what: "no attached route" });
  const last = await gateway();
  expect(Number(last?.metadata.resourceVersion)).toBeGreaterThan(Number(version));
  await namespace(cluster, "later");
  await waitFor(() => cluster.get(rootCert("later")), { what: "a later change to be worked in" });
  expect((await gateway())?.metadata.resourceVersion).toBe(last?.metadata.resourceVersion);
});

test("a Gateway of class istio gets pods and a Service, which are put back; its address is the load balancer's; quiet when nothing changes", async () => {
  const api = "gateway.networking.k8s.io/v1";
  const made = (kind: string, apiVersion = "v1") => ({ apiVersion, kind, namespace: "shop", name: "edge-istio" });
  const gateway = await cluster.create({
    apiVersion: api,
    kind: "Gateway",
    metadata: { name: "edge", namespace: "shop" },
    spec: {
      gatewayClassName: "istio",
      listeners: [{ name: "web", port: 8080, protocol: "HTTP", allowedRoutes: { namespaces: { from: "Same" } } }],
    },
  });
  const deployment = await waitFor(() => cluster.get(made("Deployment", "apps/v1")), { what: "the Deployment" });
  await waitFor(() => cluster.get(made("ServiceAccount")), { what: "the account" });
  await waitFor(() => cluster.get(made("Service")), { what: "the Service" });
  expect(deployment.metadata["ownerReferences"]).toEqual([
    { apiVersion: api, kind: "Gateway", name: "edge", uid: gateway.metadata.uid },
  ]);

  const status = async () =>
    (await cluster.get({ apiVersion: api, kind: "Gateway", namespace: "shop", name: "edge" }))?.status as
      | GatewayStatus
      | undefined;
  const isProgrammed = async (): Promise<boolean> =>
    ((await status())?.conditions ?? []).some(({ type, status: is }) => type === "Programmed" && is === "True");
  expect(await isProgrammed()).toBe(false);
  const balancer = { status: { loadBalancer: { ingress: [{ ip: "203.0.113.20" }] } } };
  await cluster.mergePatch(made("Service"), balancer, { subresource: "status" });
  await waitFor(isProgrammed, { what: "the Gateway to be programmed" });
  expect((await status())?.addresses).toEqual([{ type: "IPAddress", value: "203.0.113.20" }]);

  await cluster.mergePatch(made("Service"), { spec: { type: "NodePort" } });
  const typeNow = async () => ((await cluster.get(made("Service")))?.spec as { type?: string } | undefined)?.type;
  await waitFor(async () => (await typeNow()) === "LoadBalancer", { what: "the Service's type put back" });
  await cluster.delete(made("Deployment", "apps/v1"), { propagation: "Background" });
  const again = await waitFor(
    async () => {
      const found = await cluster.get(made("Deployment", "apps/v1"));
      return found?.metadata.uid === deployment.metadata.uid ? undefined : found;
    },
    { what: "the Deployment made anew" },
  );

  // what others do to it is no reason to write: its status, an unrelated change
  await cluster.mergePatch(made("Deployment", "apps/v1"), { status: { replicas: 1 } }, { subresource: "status" });
  await namespace(cluster, "much-later");
  await waitFor(() => cluster.get(rootCert("much-later")), { what: "a later change to be worked in" });
  expect((await cluster.get(made("Deployment", "apps/v1")))?.metadata["generation"]).toBe(again.metadata["generation"]);
});

interface GatewayStatus {
  readonly addresses?: unknown;
  readonly conditions: readonly { readonly type: string; readonly status: string }[];
  readonly listeners?: readonly { readonly attachedRoutes: number }[];
}

function attached(gateway: KubeObject | undefined): number | undefined {
  return (gateway?.status as GatewayStatus | undefined)?.listeners?.[0]?.attachedRoutes;
}
