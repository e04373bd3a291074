import { afterAll, beforeAll, expect, test } from "vitest";
import { injectList } from "../../../src/commands/inject-list.ts";
import { orphans } from "../../../src/commands/orphans.ts";
import { tagRemove } from "../../../src/commands/tag-remove.ts";
import { tagSet } from "../../../src/commands/tag-set.ts";
import { uninstall } from "../../../src/commands/uninstall.ts";
import { type ControlPlane, createControlPlane } from "../../../src/controlplane/main.ts";
import { applyObject } from "../../../src/install/apply.ts";
import { recordObject, withoutCrds } from "../../../src/install/record.ts";
import { namespaceObject, render } from "../../../src/install/render.ts";
import { settingsOf } from "../../../src/install/settings.ts";
import { openCluster } from "../../../src/kube/cluster.ts";
import type { Cluster } from "../../../src/resources/cluster.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { clusterNames } from "../../support/controlplane/ask.ts";
import { applyCrds, namespace, pod } from "../../support/controlplane/mesh-objects.ts";
import { recordingLogger } from "../../support/controlplane/recorder.ts";
import { tokenKubeconfig } from "../../support/controlplane/token-kubeconfig.ts";
import { freePorts } from "../../support/envoy/free-ports.ts";
import { fakeIo } from "../../support/fake-io.ts";
import { type RealApiServer, startApiServer } from "../../support/kube/apiserver.ts";
import { waitFor } from "../../support/wait.ts";

// Two meshds of two revisions at one real API server, each as its own service account with the rights of the rendered manifests.

const REVISIONS = ["default", "canary"] as const;
type Revision = (typeof REVISIONS)[number];
const HOOKS = { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" };
const ROOT = "istio-system";

interface Plane {
  readonly ports: Readonly<Record<"http" | "secureGrpc" | "monitoring" | "https", number>>;
  readonly plane: ControlPlane;
  readonly log: ReturnType<typeof recordingLogger>;
}

let server: RealApiServer;
let cluster: Cluster;
const planes = new Map<Revision, Plane>();

beforeAll(async () => {
  server = await startApiServer();
  cluster = await openCluster({ kubeconfig: server.kubeconfig, env: {} });
  await applyCrds(cluster);
  const [settings] = REVISIONS.map(settingsFor);
  if (settings !== undefined) await applyObject(cluster, namespaceObject(settings), { dryRun: false });
  await namespace(cluster, "shop", ["web", "default"]);
  for (const revision of REVISIONS) {
    for (const object of objectsOf(revision)) await applyObject(cluster, object, { dryRun: false });
    planes.set(revision, await startPlane(revision));
  }
}, 120_000);

afterAll(async () => {
  for (const { plane } of planes.values()) await plane.close();
  await server?.stop();
});

function settingsFor(revision: Revision): ReturnType<typeof settingsOf> {
  return settingsOf("minimal", revision === "default" ? [] : [`revision=${revision}`]);
}

/** What an installation of the revision writes, its record included. */
function objectsOf(revision: Revision): readonly KubeObject[] {
  const components = withoutCrds(render(settingsFor(revision)));
  const state = { version: "0.1.0", profile: "minimal", appliedAt: "", request: { profile: "minimal" }, components };
  const record = recordObject({ namespace: ROOT, revision }, { current: state, previous: undefined, isOpen: false });
  return [...components.flatMap(({ objects }) => objects), record];
}

const suffixOf = (revision: Revision): string => (revision === "default" ? "" : `-${revision}`);

async function startPlane(revision: Revision): Promise<Plane> {
  const [http = 0, secureGrpc = 0, monitoring = 0, https = 0] = await freePorts(4);
  const ports = { http, secureGrpc, monitoring, https };
  const serviceAccount = `istiod${suffixOf(revision)}`;
  const token = await cluster.createToken({ namespace: ROOT, serviceAccount, audiences: [] });
  const local = (port: number): { host: string; port: number } => ({ host: "127.0.0.1", port });
  const log = recordingLogger();
  const plane = createControlPlane({
    cluster: await openCluster({ kubeconfig: tokenKubeconfig(server, token), env: {} }),
    namespace: ROOT,
    instance: `${serviceAccount}-0`,
    clusterId: "Kubernetes",
    revision,
    domain: "cluster.local",
    listen: {
      http: local(http),
      secureGrpc: local(secureGrpc),
      monitoring: local(monitoring),
      https: local(https),
    },
    log,
  });
  await plane.start();
  return { ports, plane, log };
}

async function hooksOf(name: string): Promise<readonly Hook[]> {
  return ((await cluster.get({ ...HOOKS, name }))?.["webhooks"] ?? []) as readonly Hook[];
}

interface Hook {
  readonly name: string;
  readonly clientConfig: { readonly caBundle?: string };
}

const bundleOf = async (name: string): Promise<string> =>
  waitFor(
    async () => {
      const bundles = new Set((await hooksOf(name)).map(({ clientConfig }) => clientConfig.caBundle ?? ""));
      return bundles.size === 1 && !bundles.has("") ? [...bundles][0] : undefined;
    },
    { what: `the CA in ${name}` },
  );

/** The revision that makes the proxy of a new pod in a namespace with these labels. */
async function injectedBy(labels: Readonly<Record<string, string>>): Promise<string | undefined> {
  await cluster.mergePatch(
    { apiVersion: "v1", kind: "Namespace", name: "shop" },
    { metadata: { labels: { "istio-injection": null, "istio.io/rev": null, ...labels } } },
  );
  const created = await cluster.create(
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "probe", namespace: "shop" },
      spec: { containers: [{ name: "app", image: "example.test/app:1" }] },
    },
    { dryRun: true },
  );
  return created.metadata.annotations?.["istio.io/rev"];
}

/** The same once webhooks that were just written are in force: the API server reads them by a watch. */
function eventuallyInjectedBy(labels: Readonly<Record<string, string>>, wanted: string | undefined): Promise<unknown> {
  return waitFor(async () => (await injectedBy(labels).catch((error: Error) => error.message)) === wanted, {
    what: `pods of ${JSON.stringify(labels)} to be injected by ${wanted ?? "nobody"}`,
  });
}

const setting = { istioNamespace: ROOT, overwrite: true, isConfirmed: false };

test("each leads by its own lease, both sign by one CA, and neither lacks a right", async () => {
  for (const revision of REVISIONS) {
    const name = `istio-leader${suffixOf(revision)}`;
    const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace: ROOT, name };
    const holder = async (): Promise<unknown> =>
      ((await cluster.get(lease))?.spec as { holderIdentity?: string } | undefined)?.holderIdentity;
    await waitFor(async () => (await holder()) === `istiod${suffixOf(revision)}-0`, {
      what: `the lease of ${revision}`,
    });
  }
  const [one, other] = [await bundleOf("istio-sidecar-injector"), await bundleOf("istio-sidecar-injector-canary")];
  expect(other).toBe(one);
  for (const { log } of planes.values())
    expect(log.lines.filter(({ fields }) => /forbidden/i.test(JSON.stringify(fields)))).toEqual([]);
});

test("the revision behind a tag, and no other, keeps the CA in the tag's webhooks, by rights that come with the tag", async () => {
  await tagSet({ ...setting, tag: "kept", revision: "canary" }, fakeIo({ cluster }));
  const name = "istio-revision-tag-kept";
  const right = await bundleOf(name);
  const webhooks = (await hooksOf(name)).map((hook) => ({
    ...hook,
    clientConfig: { ...hook.clientConfig, caBundle: Buffer.from(server.caPem).toString("base64") },
  }));
  await cluster.mergePatch({ ...HOOKS, name }, { webhooks });
  await waitFor(async () => (await bundleOf(name)) === right, { what: "the CA to be put back" });
  const fields = (await cluster.get({ ...HOOKS, name }))?.metadata["managedFields"];
  expect(JSON.stringify(fields)).toContain("f:caBundle");
  await tagRemove({ tag: "kept", istioNamespace: ROOT, isConfirmed: true }, fakeIo({ cluster }));
  expect(await cluster.get({ ...HOOKS, name })).toBeUndefined();
});

test("configuration with a revision's label is seen by that revision's proxies alone; a changed label changes hands", async () => {
  const entry = (name: string, revision?: string): KubeObject => ({
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name, namespace: "shop", labels: revision === undefined ? {} : { "istio.io/rev": revision } },
    spec: {
      hosts: [`${name}.example.com`],
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
      resolution: "DNS",
    },
  });
  await cluster.create(entry("everybody"));
  for (const revision of REVISIONS) await cluster.create(entry(`of-${revision}`, revision));
  const uid = await pod(cluster, { namespace: "shop", name: "web-1", account: "web", ip: "10.9.0.1" }, { app: "web" });
  const roots = Buffer.from(await bundleOf("istio-sidecar-injector"), "base64").toString();
  const hostsAt = async (revision: Revision): Promise<readonly string[]> => {
    const target = { namespace: "shop", serviceAccount: "web", audiences: ["istio-ca"], pod: { name: "web-1", uid } };
    const token = await cluster.createToken(target);
    const metadata = { NAMESPACE: "shop", CLUSTER_ID: "Kubernetes", LABELS: { app: "web" } };
    const node = { id: "sidecar~10.9.0.1~web-1.shop~shop.svc.cluster.local", metadata };
    const names = await clusterNames({ port: planes.get(revision)?.ports.secureGrpc ?? 0, roots, token, node });
    return names.flatMap((name) => /\|([a-z-]+)\.example\.com$/.exec(name)?.[1] ?? []).toSorted();
  };
  const wanted = (revision: Revision, hosts: readonly string[]): Promise<unknown> =>
    waitFor(async () => (await hostsAt(revision)).join() === hosts.join(), {
      what: `proxies of ${revision} to know ${hosts.join(", ")}`,
    });
  await wanted("default", ["everybody", "of-default"]);
  await wanted("canary", ["everybody", "of-canary"]);
  const target = { apiVersion: "networking.istio.io/v1", kind: "ServiceEntry", namespace: "shop", name: "of-default" };
  await cluster.mergePatch(target, { metadata: { labels: { "istio.io/rev": "canary" } } });
  await wanted("default", ["everybody"]);
  await wanted("canary", ["everybody", "of-canary", "of-default"]);
});

test("pods get the proxy of the revision that their namespace asks for, by its name or by a tag, and the tag moves", async () => {
  // nothing routes service addresses here: the revisions' webhooks by URL, and with them those of tags
  const caBundle = await bundleOf("istio-sidecar-injector");
  for (const revision of REVISIONS) {
    const rendered = objectsOf(revision).find(({ kind }) => kind === HOOKS.kind);
    if (rendered === undefined) throw new Error("no webhooks");
    const url = `https://localhost:${planes.get(revision)?.ports.https ?? 0}/inject`;
    const webhooks = (rendered["webhooks"] as readonly Hook[]).map((hook) => ({
      ...hook,
      clientConfig: { url, caBundle },
    }));
    await cluster.delete({ ...HOOKS, name: rendered.metadata.name }, { propagation: "Background" });
    await applyObject(cluster, { ...rendered, webhooks }, { dryRun: false });
  }
  await eventuallyInjectedBy({ "istio-injection": "enabled" }, "default");
  await eventuallyInjectedBy({ "istio.io/rev": "canary" }, "canary");
  await tagSet({ ...setting, tag: "prod", revision: "default" }, fakeIo({ cluster }));
  await eventuallyInjectedBy({ "istio.io/rev": "prod" }, "default");
  await tagSet({ ...setting, tag: "prod", revision: "canary" }, fakeIo({ cluster }));
  await eventuallyInjectedBy({ "istio.io/rev": "prod" }, "canary");
  expect(await injectedBy({})).toBeUndefined();

  await tagSet({ ...setting, tag: "default", revision: "canary" }, fakeIo({ cluster }));
  await eventuallyInjectedBy({ "istio-injection": "enabled" }, "canary");
  await eventuallyInjectedBy({ "istio.io/rev": "default" }, "canary");
  const { injectors } = await injectList({ istioNamespace: ROOT, output: "json" }, fakeIo({ cluster }));
  const inShop = injectors.filter(({ namespaces }) => namespaces.includes("shop"));
  expect(inShop).toMatchObject([{ name: "istio-revision-tag-default", revision: "canary", tag: "default" }]);
});

test("the validation that goes with tag default is the new revision's; what it refuses is refused", async () => {
  const hook = { ...HOOKS, kind: "ValidatingWebhookConfiguration", name: "istiod-default-validator" };
  // it starts with Ignore until its meshd has proven itself, which needs a service address
  const webhooks = (((await cluster.get(hook))?.["webhooks"] ?? []) as readonly Hook[]).map((each) => ({
    ...each,
    ...(each.name === "validation.istio.io" ? { failurePolicy: "Fail" } : {}),
  }));
  expect(webhooks.map(({ name }) => name)).toEqual(["validation.istio.io", "deletion.audit.meshctl.io"]);
  await cluster.mergePatch(hook, { webhooks });
  const bad = {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name: "bad", namespace: "shop" },
    spec: { servers: [] },
  };
  const words = (): Promise<string> =>
    cluster.create(bad, { dryRun: true }).then(
      () => "accepted",
      (error: Error) => error.message,
    );
  await waitFor(async () => /admission webhook "validation\.istio\.io" denied/.test(await words()), {
    what: "a refusal by the webhook of tag default",
  });
});

test("a revision behind a tag with namespaces is not uninstalled; once they have moved it goes with its tags, and nothing is left", async () => {
  await injectedBy({ "istio-injection": "enabled" });
  const away = { purge: false, isConfirmed: true, dryRun: false, timeoutMs: 30_000, istioNamespace: ROOT };
  await expect(uninstall({ ...away, revision: "canary" }, fakeIo({ cluster }))).rejects.toThrow(
    /revision canary is in use:\n {2}1 namespaces ask it for proxies: shop/,
  );
  await injectedBy({});
  await planes.get("canary")?.plane.close();
  await uninstall({ ...away, revision: "canary" }, fakeIo({ cluster }));
  const { injectors } = await injectList({ istioNamespace: ROOT, output: "json" }, fakeIo({ cluster }));
  expect(injectors.map(({ name }) => name)).toEqual(["istio-sidecar-injector"]);
  // the default revision has its part again
  expect((await hooksOf("istio-sidecar-injector")).some((hook) => JSON.stringify(hook).includes("never-match"))).toBe(
    false,
  );
  expect(
    (await orphans({ istioNamespace: ROOT, output: "table", remove: false, isConfirmed: false }, fakeIo({ cluster })))
      .orphans,
  ).toEqual([]);
});
