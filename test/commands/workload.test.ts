import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MeshError } from "../../src/base/errors.ts";
import { parse } from "../../src/cli-parse.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { parseYaml } from "../../src/resources/yaml-plain.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { type FakeIo, fakeIo } from "../support/fake-io.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "meshctl-vm-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const GROUP = `apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata:
  name: db
  namespace: shop
  annotations:
    proxy.istio.io/config: |
      concurrency: 1
      proxyMetadata: { EXTRA: "it's" }
spec:
  metadata:
    labels: { app: db }
  probe:
    tcpSocket: { port: 5432 }
  template:
    ports: { tcp: 5432 }
    network: vms
    serviceAccount: db-account
`;

const config = (name: string, data: Readonly<Record<string, string>>, namespace = "istio-system"): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace },
  data,
});
const cluster = (more: readonly KubeObject[] = []) =>
  fakeCluster({
    objects: [
      config("istio", {
        mesh: "trustDomain: example.org\ndefaultConfig:\n  meshId: blue\n  proxyMetadata:\n    FROM_MESH: yes-it-is\n",
      }),
      config("istio-sidecar-injector", { values: '{"global":{"multiCluster":{"clusterName":"east"}}}' }),
      config("istio-ca-root-cert", { "root-cert.pem": "-- the roots --\n" }, "shop"),
      parseYaml(GROUP) as KubeObject,
      ...more,
    ],
  });

/** As cli.ts does, with the cluster of the test. */
async function main(argv: readonly string[], io: FakeIo): Promise<number> {
  const parsed = parse(argv);
  if (parsed.type === "help") throw new Error("help");
  const run = await parsed.spec.load();
  try {
    return (await run(parsed.input, io)).exitCode;
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    io.err(error.message);
    return 2;
  }
}

const read = (name: string): string => readFileSync(join(folder, "vm", name), "utf8");

test("workload group create prints a group; the experimental word may stand before", async () => {
  const io = fakeIo();
  const line = "x workload group create --name db -n shop -l app=db,version=v1 -l tier=back -p tcp=5432 -s acc -w 3";
  expect(await main(line.split(" "), io)).toBe(0);
  expect(parseYaml(io.stdout())).toEqual({
    apiVersion: "networking.istio.io/v1",
    kind: "WorkloadGroup",
    metadata: { name: "db", namespace: "shop" },
    spec: {
      metadata: { labels: { app: "db", version: "v1", tier: "back" } },
      template: { ports: { tcp: 5432 }, serviceAccount: "acc", weight: 3 },
    },
  });
});

test.each([
  ["--name db -n shop -p http", '--ports: expected key=value, got "http"'],
  ["--name db -n shop -p http=0", '--ports: expected a number from 1 to 65535, got "0"'],
  ["-n shop", "--name is missing"],
  ["--name db", "-n is missing"],
])("workload group create %s: %s", async (line, message) => {
  const io = fakeIo();
  expect(await main(["workload", "group", "create", ...line.split(" ")], io)).toBe(2);
  expect(io.stderr()).toContain(message);
});

test("workload entry configure writes what a machine needs, for its owner alone", async () => {
  const gateway = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "istio-eastwestgateway", namespace: "istio-system" },
    status: { loadBalancer: { ingress: [{ ip: "203.0.113.7" }] } },
  };
  const io = fakeIo({ cluster: cluster([gateway]), cwd: folder });
  const line = "workload entry configure --name db -n shop -o vm --autoregister --internalIP 10.9.0.2";
  expect(await main(line.split(" "), io), io.stderr()).toBe(0);
  expect(read("hosts")).toBe("203.0.113.7 istiod.istio-system.svc\n");
  expect(read("istio-token")).toBe("token of shop/db-account for istio-ca");
  expect(read("root-cert.pem")).toBe("-- the roots --\n");
  const metadata = {
    FROM_MESH: "yes-it-is",
    EXTRA: "it's",
    CANONICAL_REVISION: "latest",
    CANONICAL_SERVICE: "db",
    ISTIO_METAJSON_LABELS: JSON.stringify({
      app: "db",
      "service.istio.io/canonical-name": "db",
      "service.istio.io/canonical-revision": "latest",
    }),
    ISTIO_META_AUTO_REGISTER_GROUP: "db",
    ISTIO_META_CLUSTER_ID: "east",
    ISTIO_META_DNS_CAPTURE: "true",
    ISTIO_META_MESH_ID: "blue",
    ISTIO_META_NETWORK: "vms",
    ISTIO_META_POD_PORTS: '[{"name":"tcp","containerPort":5432}]',
    ISTIO_META_WORKLOAD_NAME: "db",
    POD_NAMESPACE: "shop",
    SERVICE_ACCOUNT: "db-account",
    TRUST_DOMAIN: "example.org",
  };
  expect(parseYaml(read("mesh.yaml"))).toEqual({
    defaultConfig: {
      meshId: "blue",
      concurrency: 1,
      discoveryAddress: "istiod.istio-system.svc:15012",
      readinessProbe: { tcpSocket: { port: 5432 } },
      proxyMetadata: metadata,
    },
  });
  const lines = read("cluster.env").trim().split("\n");
  expect(lines).toEqual(lines.toSorted());
  expect(lines).toEqual(
    expect.arrayContaining([
      `EXTRA='it'"'"'s'`,
      "ISTIO_INBOUND_PORTS=5432",
      "ISTIO_LOCAL_EXCLUDE_PORTS=22,15090,15021,15020",
      "ISTIO_META_AUTO_REGISTER_GROUP=db",
      "ISTIO_NAMESPACE=shop",
      "ISTIO_SERVICE=db.shop",
      "ISTIO_SERVICE_CIDR='*'",
      "ISTIO_SVC_IP=10.9.0.2",
    ]),
  );
  for (const name of ["cluster.env", "hosts", "istio-token", "mesh.yaml", "root-cert.pem"])
    expect(statSync(join(folder, "vm", name)).mode & 0o777, name).toBe(0o600);
  expect(io.stderr()).toContain("lets its bearer join as shop/db-account for 3600 s");
  expect(io.stderr()).not.toContain("token of");
});

test("a group from a file, a revision, and nobody who says where istiod is", async () => {
  writeFileSync(join(folder, "group.yaml"), GROUP);
  const revisioned = [config("istio-canary", { mesh: "" }), config("istio-sidecar-injector-canary", { values: "{}" })];
  const io = fakeIo({ cluster: cluster(revisioned), cwd: folder });
  expect(await main("workload entry configure -f group.yaml -o vm -r canary".split(" "), io), io.stderr()).toBe(0);
  expect(read("hosts")).toBe("");
  expect(io.stderr()).toContain("Give one with --ingressIP");
  expect(read("cluster.env")).toContain("CA_ADDR=istiod-canary.istio-system.svc:15012\n");
  expect(read("cluster.env")).not.toContain("AUTO_REGISTER");
  expect(read("mesh.yaml")).toContain("ISTIO_META_CLUSTER_ID: Kubernetes");
});

test("an address that the machine does not know itself, and no DNS", async () => {
  const io = fakeIo({ cluster: cluster(), cwd: folder });
  const line =
    "workload entry configure --name db -n shop -o vm --clusterID west --externalIP 192.0.2.9 --capture-dns false --ingressIP 203.0.113.9 --tokenDuration 600";
  expect(await main(line.split(" "), io), io.stderr()).toBe(0);
  expect(read("cluster.env")).toContain("ISTIO_SVC_IP=192.0.2.9\n");
  expect(read("cluster.env")).toContain("REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION=true\n");
  expect(read("cluster.env")).toContain("ISTIO_META_CLUSTER_ID=west\n");
  expect(read("cluster.env")).not.toContain("DNS_CAPTURE");
  expect(read("hosts")).toBe("203.0.113.9 istiod.istio-system.svc\n");
});

test.each([
  ["--name db -n shop", "-o is missing"],
  ["-o vm", "no WorkloadGroup given"],
  ["--name none -n shop -o vm", "there is no WorkloadGroup shop/none"],
  ["-f nowhere.yaml -o vm", "nowhere.yaml: ENOENT"],
  ["--name db -n shop -o vm --ingressIP here", '--ingressIP: expected an IP address, got "here"'],
  ["--name db -n shop -o vm --internalIP me", '--internalIP: expected an IP address, got "me"'],
  ["--name db -n shop -o vm --externalIP you", '--externalIP: expected an IP address, got "you"'],
  [
    "--name db -n shop -o vm --internalIP 10.0.0.1 --externalIP 192.0.2.1",
    "--internalIP and --externalIP exclude each other",
  ],
  ["--name db -n shop -o vm --tokenDuration 60", '--tokenDuration: expected seconds, 600 or more, got "60"'],
  ["--name db -n shop -o vm -r other", "there is no ConfigMap istio-system/istio-other"],
])("workload entry configure %s: %s", async (line, message) => {
  const io = fakeIo({ cluster: cluster(), cwd: folder });
  expect(await main(["workload", "entry", "configure", ...line.split(" ")], io)).toBe(2);
  expect(io.stderr()).toContain(message);
});
