import { expect, test } from "vitest";
import { run } from "../../src/commands/create-remote-secret.ts";
import { parseYaml } from "../../src/resources/yaml-plain.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";

/** What is printed, and what was changed in the cluster. */
async function printed(options: Readonly<Record<string, string>>) {
  const metadata = { name: "kube-root-ca.crt", namespace: "kube-system" };
  const cluster = fakeCluster({
    objects: [{ apiVersion: "v1", kind: "ConfigMap", metadata, data: { "ca.crt": "PEM" } }],
  });
  const io = fakeIo({ cluster });
  await run({ args: [], options: { name: "west", server: "https://192.0.2.1:6443", ...options } }, io);
  const secret = parseYaml(io.stdout().replace(/---\n$/, "")) as Record<string, unknown>;
  return { secret, changes: cluster.changes() };
}

test("the Secret to follow a cluster is labelled and keyed by its name", async () => {
  const { secret, changes } = await printed({});
  expect(secret).toMatchObject({
    metadata: { name: "istio-remote-secret-west", labels: { "istio/multiCluster": "true" } },
  });
  const { west = "" } = secret["stringData"] as Record<string, string>;
  expect(west).toContain("token of istio-system/istio-reader-service-account");
  expect(changes).toContain("apply ServiceAccount istio-system/istio-reader-service-account");
});

test("the Secret of a control plane outside is that of its own account, and no cluster to follow", async () => {
  const { secret, changes } = await printed({ type: "config" });
  expect(secret["metadata"]).toEqual({
    annotations: { "networking.istio.io/cluster": "west" },
    name: "istio-kubeconfig",
    namespace: "istio-system",
  });
  const { config = "" } = secret["stringData"] as Record<string, string>;
  expect(config).toContain("token of istio-system/istiod for");
  expect(changes).toEqual([]);
});
