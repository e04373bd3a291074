import { default as jsonPatch } from "fast-json-patch";
import { expect, test } from "vitest";
import { createDerivations } from "../../src/base/derive.ts";
import { createInjector, type InjectorDeps } from "../../src/controlplane/injector.ts";
import type { PodLike } from "../../src/inject/config.ts";
import type { Container } from "../../src/resources/core.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createFixedWorld } from "../../src/resources/world-fixed.ts";
import { renderedObjects } from "../support/injection.ts";

const POD: KubeObject & PodLike = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", labels: { app: "web" } },
  spec: { containers: [{ name: "app", image: "x:1" }] },
};
const shop: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };

/** The door of the webhook in a mesh of an install and these objects. */
function door(objects: readonly KubeObject[] = [shop], more: Partial<InjectorDeps> = {}, set: readonly string[] = []) {
  const inject = createInjector({
    world: createFixedWorld([...renderedObjects("default", set), ...objects]),
    derivations: createDerivations(),
    rootNamespace: "istio-system",
    revision: "default",
    meshConfig: () => ({ trustDomain: "cluster.local" }),
    ...more,
  });
  return (object: KubeObject | undefined = POD, path = "") => {
    const answer = inject({ uid: "u", namespace: "shop", operation: "CREATE", ...(object && { object }) }, path);
    const patched = jsonPatch.applyPatch(structuredClone(object), structuredClone(answer.patch ?? []) as never);
    const { spec, metadata = {} } = patched.newDocument as unknown as PodLike;
    const named = [...spec.containers, ...(spec.initContainers ?? [])].find(({ name }) => name === "istio-proxy");
    return { ...answer, metadata, spec, proxy: named as Container };
  };
}

const variable = ({ env = [] }: Container, name: string): string | undefined =>
  env.find((each) => each.name === name)?.value;

test("parts of the address are the proxy's environment: cluster, network, anything else by its name", () => {
  const { proxy } = door()(POD, "/cluster/c1/net/n1/DIR/a--slash--b");
  expect(variable(proxy, "ISTIO_META_CLUSTER_ID")).toBe("c1");
  expect(variable(proxy, "ISTIO_META_NETWORK")).toBe("n1");
  expect(variable(proxy, "DIR")).toBe("a/b");
  expect(variable(door()(POD, "").proxy, "DIR")).toBeUndefined();
});

test("a pod of another cluster is that cluster's: its name and network, its nodes", () => {
  const node = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "a" },
    status: { nodeInfo: { kubeletVersion: "v1.34.1" } },
  };
  const west = createFixedWorld([shop, node as KubeObject]);
  const worldOf = (clusterId: string) => (clusterId === "west" ? west : undefined);
  const set = ["values.global.network=net-east", "values.global.multiCluster.clusterName=east"];
  const inject = door([shop], { worldOf }, set);
  const there = inject(POD, "/cluster/west/net/net-west");
  expect(there.spec.initContainers?.map(({ name }) => name)).toContain("istio-proxy");
  expect(there.metadata.labels?.["topology.istio.io/network"]).toBe("net-west");
  const ids = (proxy: Container) => proxy.env?.filter(({ name }) => name === "ISTIO_META_CLUSTER_ID");
  expect(ids(there.proxy)).toEqual([{ name: "ISTIO_META_CLUSTER_ID", value: "west" }]);
  const here = inject(POD, "");
  expect(here.spec.containers.map(({ name }) => name)).toContain("istio-proxy");
  expect(here.metadata.labels?.["topology.istio.io/network"]).toBe("net-east");
  expect(variable(here.proxy, "ISTIO_META_CLUSTER_ID")).toBe("east");
});

test("a native sidecar where every node can, unless the installation says otherwise", () => {
  const node = (name: string, kubeletVersion: string): KubeObject =>
    ({ apiVersion: "v1", kind: "Node", metadata: { name }, status: { nodeInfo: { kubeletVersion } } }) as KubeObject;
  const isNative = (...args: Parameters<typeof door>): boolean =>
    door(...args)().spec.initContainers?.some(({ name }) => name === "istio-proxy") === true;
  const [old, recent] = [node("a", "v1.27.3"), node("b", "v1.34.1")];
  expect(isNative([shop, recent])).toBe(true);
  expect(isNative([shop, recent, old])).toBe(false);
  expect(isNative([shop, recent], { nativeSidecars: "false" })).toBe(false);
  expect(isNative([shop, old], { nativeSidecars: "true" })).toBe(true);
});

test("ProxyConfig of the pod's namespace counts, that of others does not; OpenShift's range gives the user", () => {
  const config = (namespace: string, concurrency: number): KubeObject =>
    ({
      apiVersion: "networking.istio.io/v1beta1",
      kind: "ProxyConfig",
      metadata: { name: "p", namespace },
      spec: { concurrency },
    }) as KubeObject;
  const { proxy } = door([shop, config("shop", 5), config("other", 9)])();
  expect(JSON.parse(variable(proxy, "PROXY_CONFIG") ?? "{}")).toMatchObject({ concurrency: 5 });
  const ranged: KubeObject = {
    ...shop,
    metadata: { name: "shop", annotations: { "openshift.io/sa.scc.uid-range": "1000670000/10000" } },
  };
  const { proxy: other } = door([ranged], {}, ["values.global.platform=openshift"])();
  expect((other["securityContext"] as { runAsUser: number }).runAsUser).toBeGreaterThanOrEqual(1_000_670_000);
});

test("pods that go badly with a proxy are let in with a warning", () => {
  const spec = {
    dnsPolicy: "Default",
    securityContext: { runAsUser: 1337 },
    containers: [
      { name: "app", image: "x:1", ports: [{ containerPort: 15001 }, { containerPort: 8080 }] },
      { name: "other", image: "x:1", securityContext: { runAsUser: 7 } },
    ],
  };
  const { allowed, warnings } = door()({ ...POD, spec } as KubeObject);
  expect(allowed).toBe(true);
  expect(warnings).toEqual([
    "dnsPolicy Default: the proxy may not resolve services of the cluster",
    "container app runs as user 1337, the proxy's: its traffic is not captured",
    "container app has port 15001, the proxy's: one of them cannot listen",
  ]);
  expect(door()().warnings).toEqual([]);
});

test("a pod that is left alone gets no patch; what is no pod, and a mesh without settings, is said", () => {
  const refusing = { ...POD, metadata: { ...POD.metadata, labels: { "sidecar.istio.io/inject": "false" } } };
  expect(door()(refusing as KubeObject)).toMatchObject({ allowed: true, skipped: true, patch: [] });
  expect(() => door()({ ...POD, spec: undefined } as unknown as KubeObject)).toThrow("expected a pod in the review");
  expect(() => door([shop], { revision: "canary" })()).toThrow(
    "ConfigMap istio-system/istio-sidecar-injector-canary has no key",
  );
});
