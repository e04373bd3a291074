import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeObject } from "../../../src/resources/object.ts";
import { type Installed, install, renderedObjects, rootCert } from "../../support/controlplane/installed.ts";
import { namespace } from "../../support/controlplane/mesh-objects.ts";
import { waitFor } from "../../support/wait.ts";

// What meshd writes into a real kube-apiserver, and what the API server asks it: root certificates and webhooks.

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
  expect((await hooks(validating)).map((hook) => hook.failurePolicy)).toEqual(["Ignore", "Ignore"]);

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
  await waitFor(async () => (await hooks(validating)).every((hook) => hook.failurePolicy === "Fail"), {
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
});
