import { expect, test } from "vitest";
import { install, type InstallOptions } from "../../src/commands/install.ts";
import { run as revisionList } from "../../src/commands/revision-list.ts";
import { run as tagList } from "../../src/commands/tag-list.ts";
import { tagRemove } from "../../src/commands/tag-remove.ts";
import { runGenerate, tagSet, type TagSetOptions } from "../../src/commands/tag-set.ts";
import { decideInjection } from "../../src/model/injection.ts";
import { injectionWebhooks } from "../../src/model/injection-webhooks.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { parseYaml } from "../../src/resources/yaml-plain.ts";
import type { FakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { settlingCluster } from "../support/settling-cluster.ts";

const options: InstallOptions = {
  set: [],
  profile: "minimal",
  isConfirmed: true,
  dryRun: false,
  skipPrecheck: true,
  readinessTimeoutMs: 5000,
  istioNamespace: "istio-system",
};
const setting = { istioNamespace: "istio-system", overwrite: false, isConfirmed: false };

/** A cluster with the default revision and `canary`. */
async function twoRevisions(): Promise<FakeCluster> {
  const cluster = settlingCluster();
  await install(options, fakeIo({ cluster }));
  await install({ ...options, revision: "canary" }, fakeIo({ cluster }));
  return cluster;
}

async function set(cluster: FakeCluster, more: Pick<TagSetOptions, "tag" | "revision"> & Partial<TagSetOptions>) {
  const io = fakeIo({ cluster, now: () => new Date() });
  return { ...(await tagSet({ ...setting, ...more }, io)), io };
}

function namespace(cluster: FakeCluster, name: string, labels: Record<string, string>): void {
  cluster.set({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
}

function pod(cluster: FakeCluster, at: string, revision: string): void {
  const [ns = "", name = ""] = at.split("/");
  const metadata = { name, namespace: ns, annotations: { "istio.io/rev": revision } };
  const spec = { containers: [{ name: "istio-proxy", image: "meshctl/proxy:1" }] };
  cluster.set({ apiVersion: "v1", kind: "Pod", metadata, spec });
}

/** The revision that injects pods of a namespace with these labels; undefined when nobody does. */
function injectedBy(cluster: FakeCluster, labels: Record<string, string>): string | undefined {
  const configurations = cluster.objects().filter(({ kind }) => kind === "MutatingWebhookConfiguration");
  const { inject, revision } = decideInjection({
    pod: {},
    namespace: { name: "any", labels },
    calls: injectionWebhooks(configurations),
  });
  return inject ? revision : undefined;
}

const names = (cluster: FakeCluster): readonly string[] =>
  cluster.objects().map(({ kind, metadata }) => `${kind} ${metadata.name}`);

test("a tag leads namespaces to its revision, moves only with --overwrite, and goes without a trace", async () => {
  const cluster = await twoRevisions();
  const before = names(cluster);
  const first = await set(cluster, { tag: "prod", revision: "default" });
  expect(first.io.stdout()).toBe(
    "Tag prod now names revision default.\nNext: kubectl label namespace <name> istio.io/rev=prod\n",
  );
  expect(injectedBy(cluster, { "istio.io/rev": "prod" })).toBe("default");
  expect((await set(cluster, { tag: "prod", revision: "default" })).change).toBe("unchanged");

  await expect(set(cluster, { tag: "prod", revision: "canary" })).rejects.toMatchObject({
    code: "tag-exists",
    message: "tag prod names revision default",
  });
  const moved = await set(cluster, { tag: "prod", revision: "canary", overwrite: true });
  expect(moved.io.stdout()).toBe("Tag prod moved from revision default to revision canary.\n");
  expect(injectedBy(cluster, { "istio.io/rev": "prod" })).toBe("canary");
  // its own names are as before
  expect(injectedBy(cluster, { "istio.io/rev": "default" })).toBe("default");

  namespace(cluster, "shop", { "istio.io/rev": "prod" });
  const remove = { tag: "prod", istioNamespace: "istio-system", isConfirmed: false };
  const no = fakeIo({ cluster, answer: "n" });
  expect((await tagRemove(remove, no)).exitCode).toBe(1);
  expect(no.stderr()).toContain("1 namespace would lose tag prod: shop. Their new pods will start without a proxy.");
  await tagRemove({ ...remove, isConfirmed: true }, fakeIo({ cluster }));
  expect(names(cluster)).toEqual([...before, "Namespace shop"]);
  await expect(tagRemove(remove, fakeIo({ cluster }))).rejects.toThrow("there is no tag prod");
});

test("names that are taken, revisions that are not there or not ready, and names that cannot be one are refused", async () => {
  const cluster = await twoRevisions();
  await expect(set(cluster, { tag: "canary", revision: "default", overwrite: true })).rejects.toMatchObject({
    code: "tag-is-revision",
  });
  await expect(set(cluster, { tag: "prod", revision: "canari" })).rejects.toMatchObject({
    code: "not-found",
    hint: "Did you mean canary? There are: canary, default.",
  });
  await set(cluster, { tag: "prod", revision: "canary" });
  await expect(set(cluster, { tag: "stable", revision: "prod" })).rejects.toMatchObject({
    hint: "It is a tag of revision canary: name that one.",
  });
  await expect(set(cluster, { tag: "Prod", revision: "canary" })).rejects.toThrow(
    'tag "Prod" cannot be part of a name',
  );
  const hook = cluster
    .objects()
    .find(({ kind, metadata }) => kind.startsWith("Mut") && metadata.name === "istio-sidecar-injector-canary");
  const webhooks = ((hook?.["webhooks"] ?? []) as { clientConfig: object }[]).map((each) => ({
    ...each,
    clientConfig: { ...each.clientConfig, caBundle: "" },
  }));
  cluster.set({ ...hook, webhooks } as KubeObject);
  await expect(set(cluster, { tag: "new", revision: "canary" })).rejects.toMatchObject({ code: "not-ready" });
});

test("tag default takes the default revision's part, through a new install of it, and gives it back", async () => {
  const cluster = await twoRevisions();
  const asks = { "istio-injection": "enabled" };
  const hooks = (): unknown =>
    cluster
      .objects()
      .find(({ kind, metadata }) => kind.startsWith("Mut") && metadata.name === "istio-sidecar-injector");
  const before = hooks();
  await set(cluster, { tag: "default", revision: "canary" });
  expect(injectedBy(cluster, asks)).toBe("canary");
  expect(injectedBy(cluster, { "istio.io/rev": "default" })).toBe("canary");
  const validators = (): readonly string[] =>
    cluster
      .objects()
      .filter(({ kind }) => kind === "ValidatingWebhookConfiguration")
      .flatMap(({ metadata, ...rest }) =>
        (rest["webhooks"] as { name: string; objectSelector: object }[])
          .filter(({ name, objectSelector }) => name === "validation.istio.io" && !("matchLabels" in objectSelector))
          .map(() => metadata.name),
      );
  expect(validators()).toEqual(["istiod-default-validator"]);
  const asked = cluster
    .objects()
    .filter(({ metadata }) => metadata.name === "istiod-default-validator")
    .flatMap((object) => object["webhooks"] as { clientConfig: { service?: unknown } }[])
    .map(({ clientConfig }) => clientConfig.service);
  const service = { name: "istiod-canary", namespace: "istio-system", path: "/validate", port: 443 };
  expect(asked).toEqual([service, service]);

  const again = fakeIo({ cluster });
  await install(options, again);
  expect(injectedBy(cluster, asks)).toBe("canary");
  expect(again.stdout()).toMatch(/^Nothing changed/);
  expect(again.stderr()).toContain("tag default names revision canary");

  // back by the same command, and once more by the other
  const overwrite = { tag: "default", revision: "default", overwrite: true };
  const back = await set(cluster, overwrite);
  expect(back.io.stdout()).toBe("Tag default moved from revision canary to revision default.\n");
  expect(injectedBy(cluster, asks)).toBe("default");
  expect((await set(cluster, overwrite)).change).toBe("unchanged");
  await set(cluster, { tag: "default", revision: "canary" });
  expect(injectedBy(cluster, asks)).toBe("canary");
  await tagRemove({ tag: "default", istioNamespace: "istio-system", isConfirmed: false }, fakeIo({ cluster }));
  expect(injectedBy(cluster, asks)).toBe("default");
  const plain = (object: unknown): unknown => ({ ...(object as KubeObject), metadata: {} });
  expect(plain(hooks())).toEqual(plain(before));
  expect(validators()).toEqual(["istio-validator-istio-system"]);
});

test("the first revision of a cluster is the default one by its tag", async () => {
  const cluster = settlingCluster();
  const io = fakeIo({ cluster });
  await install({ ...options, revision: "blue" }, io);
  expect(injectedBy(cluster, { "istio-injection": "enabled" })).toBe("blue");
  expect(io.stderr()).toContain("Tag default now names revision blue.\n");
  await install({ ...options, revision: "green" }, fakeIo({ cluster }));
  expect(injectedBy(cluster, { "istio-injection": "enabled" })).toBe("blue");
});

test("--wait names who is behind until they have moved; over time it is exit code 1", async () => {
  const cluster = await twoRevisions();
  await set(cluster, { tag: "prod", revision: "default" });
  namespace(cluster, "shop", { "istio.io/rev": "prod" });
  namespace(cluster, "other", { "istio.io/rev": "default" });
  pod(cluster, "shop/web-1", "default");
  pod(cluster, "other/old-1", "default");
  const late = await set(cluster, { tag: "prod", revision: "canary", overwrite: true, wait: true, timeoutMs: 1 });
  expect(late).toMatchObject({ exitCode: 1, behind: [{ namespace: "shop", pod: "web-1", wanted: "canary" }] });
  expect(late.io.stdout()).toContain(
    "NAMESPACE   POD     REVISION   WANTED   PROXY\nshop        web-1   default    canary   meshctl/proxy:1\n",
  );
  const waiting = set(cluster, { tag: "prod", revision: "canary", wait: true, timeoutMs: 60_000 });
  pod(cluster, "shop/web-1", "canary");
  expect(await waiting).toMatchObject({ exitCode: 0, behind: [] });
});

test("webhooks of others that take the same pods are named; without an answer nothing is written", async () => {
  const cluster = await twoRevisions();
  cluster.set({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "by-hand" },
    webhooks: [
      { name: "x.istio.io", namespaceSelector: { matchLabels: { "istio.io/rev": "prod" } }, clientConfig: {} },
    ],
  } as KubeObject);
  const count = cluster.objects().length;
  await expect(set(cluster, { tag: "prod", revision: "canary" })).rejects.toMatchObject({ code: "tag-conflict" });
  const no = fakeIo({ cluster, answer: "" });
  expect((await tagSet({ ...setting, tag: "prod", revision: "canary" }, no)).exitCode).toBe(1);
  expect(no.stderr()).toContain("by-hand/x.istio.io");
  expect(cluster.objects().length).toBe(count);
  expect((await set(cluster, { tag: "prod", revision: "canary", isConfirmed: true })).change).toBe("created");
});

test("lists show tags with their namespaces, revisions with their proxies; generate prints what set writes", async () => {
  const cluster = await twoRevisions();
  const input = (...args: string[]) => ({ args, options: { output: "table", revision: "canary" } });
  const generated = fakeIo({ cluster });
  await runGenerate(input("prod"), generated);
  const printed = generated
    .stdout()
    .split("---\n")
    .map((text) => parseYaml(text) as KubeObject);
  await set(cluster, { tag: "prod", revision: "canary" });
  const written = cluster.objects().filter(({ metadata }) => metadata.labels?.["istio.io/tag"] === "prod");
  expect(printed.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(
    written.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
  );
  namespace(cluster, "shop", { "istio.io/rev": "prod" });
  namespace(cluster, "hello", { "istio-injection": "enabled" });
  pod(cluster, "shop/web-1", "canary");
  const list = fakeIo({ cluster });
  await tagList(input(), list);
  expect(list.stdout()).toBe("TAG    REVISION   NAMESPACES\nprod   canary     shop\n       default    hello\n");
  const revisions = fakeIo({ cluster });
  await revisionList(input(), revisions);
  expect(revisions.stdout()).toMatch(
    /^REVISION +VERSION +STATUS +TAGS +NAMESPACES +PROXIES\ncanary +\S+ +ready +prod +shop +1\ndefault +\S+ +ready +hello +0\n$/,
  );
});
