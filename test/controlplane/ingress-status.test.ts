import { expect, test } from "vitest";
import { createDerivations } from "../../src/base/derive.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { createIngressStatus } from "../../src/controlplane/ingress-status.ts";
import { createModel } from "../../src/model/model.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createWorldStore } from "../../src/resources/world-store.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { waitFor } from "../support/wait.ts";

const ingress = (name: string, annotations: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name, namespace: "shop", annotations },
  spec: {},
});

const front = (addresses: readonly object[]): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "istio-ingressgateway", namespace: "istio-system" },
  spec: { ports: [] },
  status: { loadBalancer: { ingress: addresses } },
});

test("served Ingresses say where they are reached, and follow it; others are left alone; only the leader writes", async () => {
  const objects = [
    ingress("ours", { "kubernetes.io/ingress.class": "istio" }),
    ingress("theirs", { "kubernetes.io/ingress.class": "nginx" }),
    front([{ ip: "203.0.113.7" }, { hostname: "lb.example.com" }]),
  ];
  const cluster = fakeCluster({ objects });
  const derivations = createDerivations();
  const world = createWorldStore(derivations);
  world.apply(objects.map((object) => ({ type: "set", object })));
  const leading = derivations.source(false);
  const runner = createIngressStatus({
    cluster,
    model: createModel(world, { derivations }),
    isLeader: () => leading.get(),
    log: silentLogger,
  });
  await runner.start();
  const statuses = (): unknown =>
    Object.fromEntries(
      cluster
        .objects()
        .filter(({ kind }) => kind === "Ingress")
        .map(({ metadata, status }) => [metadata.name, status]),
    );
  expect(statuses()).toEqual({ ours: undefined, theirs: undefined });
  leading.set(true);
  const said = { loadBalancer: { ingress: [{ ip: "203.0.113.7" }, { hostname: "lb.example.com" }] } };
  await waitFor(() => JSON.stringify(statuses()) === JSON.stringify({ ours: said }), { what: "the addresses" });
  world.apply([{ type: "set", object: front([{ ip: "203.0.113.8" }]) }]);
  const moved = { loadBalancer: { ingress: [{ ip: "203.0.113.8" }] } };
  await waitFor(() => JSON.stringify(statuses()) === JSON.stringify({ ours: moved }), { what: "the new address" });
  await runner.close();
});
