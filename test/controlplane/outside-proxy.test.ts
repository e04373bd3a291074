import { expect, test } from "vitest";
import type { Caller } from "../../src/controlplane/caller.ts";
import { outsideProxyOf, readNode } from "../../src/controlplane/node.ts";
import type { KindTypes } from "../../src/resources/kinds.ts";

const CLAIM = readNode({
  id: "sidecar~10.9.0.2~vm-1.shop~shop.svc.cluster.local",
  metadata: {
    NAMESPACE: "shop",
    AUTO_REGISTER_GROUP: "db",
    NETWORK: "claimed",
    ISTIO_VERSION: "1.27.0",
    LABELS: { app: "claimed" },
  },
});

const CALLER: Caller = {
  identity: { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "db" },
  podUid: undefined,
  podName: undefined,
  expiresAt: undefined,
  by: "token",
};

function proxyOf(spec: KindTypes["WorkloadEntry"]["spec"]) {
  if (typeof CLAIM === "string") throw new Error(CLAIM);
  const entry = { apiVersion: "networking.istio.io/v1", kind: "WorkloadEntry", metadata: { name: "e" } } as const;
  const whole = spec === undefined ? entry : { ...entry, spec };
  return outsideProxyOf(CLAIM, CALLER, { entry: whole, clusterId: "east" });
}

test("a machine's place, labels and network are its entry's, not its own claim", () => {
  const entry = { address: "10.9.0.2", serviceAccount: "db", labels: { app: "db" }, network: "vms", locality: "r/z/s" };
  expect(proxyOf(entry)).toMatchObject({
    labels: { app: "db" },
    metadata: { NETWORK: "vms", AUTO_REGISTER_GROUP: "db" },
    locality: { region: "r", zone: "z", subzone: "s" },
    version: "1.27.0",
    clusterId: "east",
  });
  const plain = proxyOf({ address: "10.9.0.2", serviceAccount: "db" });
  expect(plain?.metadata?.["NETWORK"]).toBe("");
  expect(plain).not.toHaveProperty("locality");
});

test("another account's entry, or none, is nobody's proxy", () => {
  expect(proxyOf({ address: "10.9.0.2", serviceAccount: "web" })).toBeUndefined();
  expect(proxyOf({ address: "10.9.0.2" })).toBeUndefined();
  expect(proxyOf(undefined)).toBeUndefined();
});
