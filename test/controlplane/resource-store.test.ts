import { expect, test } from "vitest";
import { createDerivations } from "../../src/base/derive.ts";
import { createMesh } from "../../src/compile/mesh.ts";
import { createResourceStore } from "../../src/controlplane/resource-store.ts";
import type { Snapshot } from "../../src/controlplane/resource-table.ts";
import type { Proxy } from "../../src/ir/proxy.ts";
import { peerOf } from "../../src/model/workload.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createWorldStore } from "../../src/resources/world-store.ts";
import type { XdsOptions } from "../../src/xds/types.ts";
import { slice } from "../support/controlplane/mesh-objects.ts";

const set = (object: KubeObject) => ({ type: "set" as const, object });

function service(name: string, port: number): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "shop" },
    spec: { clusterIP: `10.96.1.${port}`, selector: { app: name }, ports: [{ name: "http", port, targetPort: 8080 }] },
  };
}

function proxy(name: string): Proxy {
  return {
    id: `sidecar~10.0.0.1~${name}.shop~shop.svc.cluster.local`,
    type: "sidecar",
    addresses: ["10.0.0.1"],
    namespace: "shop",
    name,
    labels: { app: name },
    serviceAccount: name,
    clusterId: "Kubernetes",
    dnsDomain: "shop.svc.cluster.local",
    interception: "REDIRECT",
    bind: undefined,
    peer: peerOf({ workload: name, ns: "shop" }),
  };
}

function rig() {
  const derivations = createDerivations();
  const world = createWorldStore(derivations);
  const mesh = createMesh(world, { derivations });
  const problems: string[] = [];
  const options = derivations.source<XdsOptions>({
    trustDomains: ["cluster.local"],
    accessLog: undefined,
    protocolDetectionTimeoutMs: 0,
  });
  const store = createResourceStore({
    derivations,
    configOf: (one) => mesh.proxyConfig(one),
    options: () => options.get(),
    onProblem: (kind, name) => void problems.push(`${kind} ${name}`),
    onPatch: ({ from }, problem) => void problems.push(`${from.name}: ${problem}`),
  });
  world.apply([
    set(service("web", 80)),
    set(service("db", 81)),
    set(slice({ namespace: "shop", name: "web" }, ["10.0.0.2"])),
  ]);
  const follow = (one: Proxy) => {
    const reader = store.open();
    const seen: Snapshot[] = [];
    const stop = derivations.effect(() => void seen.push(reader.snapshot(one)));
    return {
      now: () => seen.at(-1)!,
      runs: () => seen.length,
      stop() {
        stop();
        reader.close();
      },
    };
  };
  return { derivations, world, options, follow, problems };
}

const WEB = "outbound|80||web.shop.svc.cluster.local";

test("proxies of one scope share the very bytes; a change renews only what it touches", () => {
  const { world, follow } = rig();
  const one = follow(proxy("web"));
  const two = follow(proxy("db"));
  expect(one.now().cluster.get(WEB)).toBe(two.now().cluster.get(WEB));
  expect(one.now().endpoint).toBe(two.now().endpoint);
  expect(one.now().listener.has("virtualInbound")).toBe(true);

  const before = one.now();
  world.apply([set(slice({ namespace: "shop", name: "web" }, ["10.0.0.2", "10.0.0.3"]))]);
  const after = one.now();
  for (const kind of ["cluster", "listener", "route"] as const) expect(after[kind]).toBe(before[kind]);
  expect(after.endpoint.get(WEB)?.version).not.toBe(before.endpoint.get(WEB)?.version);
  const other = "outbound|81||db.shop.svc.cluster.local";
  expect(after.endpoint.get(other)).toBe(before.endpoint.get(other));
  expect(two.now().endpoint).toBe(after.endpoint);
});

test("a change that makes no difference wakes nobody", () => {
  const { world, follow } = rig();
  const one = follow(proxy("web"));
  const runs = one.runs();
  world.apply([
    set({ ...service("web", 80), metadata: { name: "web", namespace: "shop", annotations: { note: "x" } } }),
  ]);
  expect(one.runs()).toBe(runs);
});

test("options are followed, and nothing is held when all have gone", () => {
  const { derivations, options, follow } = rig();
  const idle = derivations.size();
  const one = follow(proxy("web"));
  const before = one.now().listener.get("virtualInbound")?.version;
  options.set({ ...options.get(), accessLog: { path: "/dev/stdout", format: { text: "%RESPONSE_CODE%\n" } } });
  expect(one.now().listener.get("virtualInbound")?.version).not.toBe(before);
  one.stop();
  expect(derivations.size()).toBe(idle);
});

test("a service that goes takes its resources along", () => {
  const { world, follow } = rig();
  const one = follow(proxy("web"));
  world.apply([{ type: "delete", object: service("db", 81) }]);
  expect([...one.now().cluster.keys()].filter((name) => name.includes("db.shop"))).toEqual([]);
  expect(one.now().cluster.has(WEB)).toBe(true);
});

test("scopes share the bytes of what they see alike, before and after changes, and not what options make different", () => {
  const { world, options, follow } = rig();
  const near = follow(proxy("web"));
  const far = follow({ ...proxy("web"), id: "sidecar~10.0.0.1~web.far~far.svc.cluster.local", namespace: "far" });
  const shared = (kind: "cluster" | "endpoint" | "listener", name: string): void => {
    expect(near.now()[kind].get(name)).toBeDefined();
    expect(far.now()[kind].get(name)).toBe(near.now()[kind].get(name));
  };
  shared("cluster", WEB);
  shared("endpoint", WEB);
  const before = near.now().endpoint.get(WEB);
  world.apply([set(slice({ namespace: "shop", name: "web" }, ["10.0.0.2", "10.0.0.3"]))]);
  shared("endpoint", WEB);
  expect(near.now().endpoint.get(WEB)?.version).not.toBe(before?.version);
  const quiet = near.now().listener.get("0.0.0.0_80");
  shared("listener", "0.0.0.0_80");
  options.set({ ...options.get(), accessLog: { path: "/dev/stdout", format: { text: "%RESPONSE_CODE%\n" } } });
  shared("listener", "0.0.0.0_80");
  expect(near.now().listener.get("0.0.0.0_80")?.version).not.toBe(quiet?.version);
});
