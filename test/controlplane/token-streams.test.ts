import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeObject } from "../../src/resources/object.ts";
import type { Messages, TypedAny } from "../../src/wire/codec.ts";
import { TYPE_URLS } from "../../src/xds/types.ts";
import { openXds, type XdsClient } from "../support/controlplane/xds-client.ts";
import { type Plane, SERVER_NAME, startPlane } from "../support/traffic/plane.ts";
import { waitFor } from "../support/wait.ts";

// Streams over real gRPC as agents of Istio open them: they relay for their Envoy, prove the workload by a token in the
// call's metadata, and put much more into the node than we read. State of the world and incremental, all types, with refusals.

const TOKEN = "aaa.bbb.ccc";
const ACCOUNT = "system:serviceaccount:shop:web";

const object = (type: string, name: string, rest: object): KubeObject => {
  const [apiVersion = "", kind = ""] = type.split(" ");
  return { apiVersion, kind, metadata: { name, namespace: "shop" }, ...rest };
};

const pod: KubeObject = {
  ...object("v1 Pod", "web-1", { spec: { serviceAccountName: "web", containers: [{ name: "app" }] } }),
  metadata: { name: "web-1", namespace: "shop", uid: "u1", labels: { app: "web" } },
  status: { phase: "Running", podIP: "10.0.0.1" },
};

const service = object("v1 Service", "web", {
  spec: { clusterIP: "10.96.0.1", selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
});

const POD = { kind: "Pod", name: "web-1", namespace: "shop" };

const slice: KubeObject = {
  ...object("discovery.k8s.io/v1 EndpointSlice", "web-a", {
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080 }],
    endpoints: [{ addresses: ["10.0.0.1"], targetRef: POD }],
  }),
  metadata: { name: "web-a", namespace: "shop", labels: { "kubernetes.io/service-name": "web" } },
};

const rule = (connections: number): KubeObject =>
  object("networking.istio.io/v1 DestinationRule", "web", {
    spec: { host: "web", trafficPolicy: { connectionPool: { tcp: { maxConnections: connections } } } },
  });

/** What an agent of Istio 1.27 says of itself for a sidecar, as far as it may matter. */
const node: Messages["envoy.config.core.v3.Node"] = {
  id: "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local",
  cluster: "web.shop",
  user_agent_name: "envoy",
  user_agent_build_version: { version: { major_number: 1, minor_number: 35, patch: 3 } },
  metadata: {
    ANNOTATIONS: { "kubernetes.io/config.source": "api", "istio.io/rev": "default" },
    APP_CONTAINERS: "app",
    CLUSTER_ID: "Kubernetes",
    DNS_CAPTURE: "true",
    ENVOY_PROMETHEUS_PORT: 15090,
    ENVOY_STATUS_PORT: 15021,
    INSTANCE_IPS: "10.0.0.1",
    INTERCEPTION_MODE: "REDIRECT",
    ISTIO_PROXY_SHA: "0000000000000000000000000000000000000000",
    ISTIO_VERSION: "1.27.0",
    LABELS: { app: "claimed-by-the-node" },
    MESH_ID: "cluster.local",
    NAME: "web-1",
    NAMESPACE: "shop",
    NODE_NAME: "node-1",
    OWNER: "kubernetes://apis/apps/v1/namespaces/shop/deployments/web",
    PILOT_SAN: ["istiod.istio-system.svc"],
    PROXY_CONFIG: { concurrency: 2, discoveryAddress: "istiod.istio-system.svc:15012", statusPort: 15020 },
    SERVICE_ACCOUNT: "web",
    WORKLOAD_NAME: "web",
  },
};

let plane: Plane;

beforeAll(async () => {
  plane = await startPlane([pod, service, slice, rule(1)], {
    reviewToken: async (token, audiences) =>
      token === TOKEN && audiences.includes("istio-ca")
        ? {
            username: ACCOUNT,
            groups: ["system:serviceaccounts"],
            extra: {
              "authentication.kubernetes.io/pod-name": ["web-1"],
              "authentication.kubernetes.io/pod-uid": ["u1"],
            },
          }
        : undefined,
  });
});
afterAll(() => plane?.close());

function open<P extends "sotw" | "delta">(protocol: P, token = TOKEN): XdsClient<P> {
  const to = { port: plane.port, roots: plane.ca.certificate, serverName: SERVER_NAME };
  return openXds(protocol, to, { authorization: `Bearer ${token}`, clusterid: "Kubernetes" });
}

const namesOf = (resources: readonly TypedAny[] | undefined, key = "name"): readonly string[] =>
  (resources ?? []).map((resource) => String((resource as Readonly<Record<string, unknown>>)[key]));

const WEB = "outbound|80||web.shop.svc.cluster.local";

test("state of the world: every type is served and confirmed, and wildcard types come whole", async () => {
  const stream = open("sotw");
  const ask = async (
    type_url: string,
    resource_names: readonly string[] = [],
  ): Promise<readonly TypedAny[] | undefined> => {
    stream.send({ type_url, resource_names, node });
    const { nonce = "", version_info = "", resources } = await stream.next(type_url);
    expect([nonce, version_info]).not.toContain("");
    stream.send({ type_url, resource_names, response_nonce: nonce, version_info });
    return resources;
  };
  try {
    expect(namesOf(await ask(TYPE_URLS.cluster))).toContain(WEB);
    const endpoints = await ask(TYPE_URLS.endpoint, [WEB]);
    expect(namesOf(endpoints, "cluster_name")).toEqual([WEB]);
    expect(JSON.stringify(endpoints)).toContain('"10.0.0.1"');
    expect(namesOf(await ask(TYPE_URLS.listener))).toEqual(
      expect.arrayContaining(["virtualInbound", "virtualOutbound", "0.0.0.0_80"]),
    );
    expect(namesOf(await ask(TYPE_URLS.route, ["80"]))).toEqual(["80"]);
    expect(JSON.stringify(await ask(TYPE_URLS.nametable))).toContain("web.shop.svc.cluster.local");

    // one cluster changes: all of them come, as the protocol wants it
    plane.state.world.apply([{ type: "set", object: rule(2) }]);
    const changed = await stream.next(TYPE_URLS.cluster);
    expect(namesOf(changed.resources)).toEqual(expect.arrayContaining([WEB, "BlackHoleCluster", "inbound|8080||"]));
    expect(stream.ended()).toBeUndefined();
  } finally {
    stream.close();
  }
});

test("state of the world: what was refused is not sent again, other types go on, the next version is", async () => {
  const stream = open("sotw");
  try {
    stream.send({ type_url: TYPE_URLS.cluster, node });
    const first = await stream.next(TYPE_URLS.cluster);
    const version_info = first.version_info ?? "";
    stream.send({ type_url: TYPE_URLS.cluster, version_info, response_nonce: first.nonce ?? "" });
    stream.send({ type_url: TYPE_URLS.endpoint, resource_names: [WEB] });
    const endpoints = await stream.next(TYPE_URLS.endpoint);
    stream.send({ type_url: TYPE_URLS.endpoint, resource_names: [WEB], response_nonce: endpoints.nonce ?? "" });

    plane.state.world.apply([{ type: "set", object: rule(3) }]);
    const { nonce = "", version_info: refused } = await stream.next(TYPE_URLS.cluster);
    expect(refused).not.toBe(version_info);
    stream.send({
      type_url: TYPE_URLS.cluster,
      version_info,
      response_nonce: nonce,
      error_detail: { code: 13, message: "the test does not want it" },
    });
    await waitFor(() => plane.problems.some((text) => text.includes("the test does not want it")), {
      what: "the NACK",
    });

    // a changed cluster waits for its endpoints: they come again without a change of theirs
    const again = await stream.next(TYPE_URLS.endpoint);
    stream.send({ type_url: TYPE_URLS.endpoint, resource_names: [WEB], response_nonce: again.nonce ?? "" });
    // with the pod's own address still there the cluster's identities, and so the cluster, stay as they are
    const more = { ...slice, endpoints: [{ addresses: ["10.0.0.1", "10.0.0.9"], targetRef: POD }] };
    plane.state.world.apply([{ type: "set", object: more }]);
    expect(JSON.stringify((await stream.next(TYPE_URLS.endpoint)).resources)).toContain('"10.0.0.9"');
    expect(stream.waiting(TYPE_URLS.cluster)).toBe(0);

    plane.state.world.apply([{ type: "set", object: rule(4) }]);
    expect(JSON.stringify((await stream.next(TYPE_URLS.cluster)).resources)).toContain('"max_connections":4');
  } finally {
    stream.close();
  }
});

test("incremental, as agents of Istio relay it: types nobody serves are passed over", async () => {
  const stream = open("delta");
  try {
    stream.send({ type_url: TYPE_URLS.cluster, node, resource_names_subscribe: ["*"] });
    // its agent asks for these beside its Envoy
    stream.send({ type_url: "type.googleapis.com/istio.mesh.v1alpha1.ProxyConfig" });
    stream.send({ type_url: TYPE_URLS.nametable });
    const clusters = await stream.next(TYPE_URLS.cluster);
    expect(clusters.resources?.map(({ name }) => name)).toContain(WEB);
    stream.send({ type_url: TYPE_URLS.cluster, response_nonce: clusters.nonce ?? "" });
    stream.send({ type_url: TYPE_URLS.endpoint, resource_names_subscribe: [WEB] });
    const [endpoint] = (await stream.next(TYPE_URLS.endpoint)).resources ?? [];
    expect(endpoint?.name).toBe(WEB);
    expect((await stream.next(TYPE_URLS.nametable)).resources).toHaveLength(1);
    expect(stream.ended()).toBeUndefined();
  } finally {
    stream.close();
  }
});

test("a token that proves nobody, and a node that the token's pod is not", async () => {
  const stranger = open("delta", "x.y.z");
  stranger.send({ type_url: TYPE_URLS.cluster, node });
  await waitFor(() => stranger.ended()?.code === 16, { what: "UNAUTHENTICATED" });
  const other = open("sotw");
  other.send({
    type_url: TYPE_URLS.cluster,
    node: { ...node, id: "sidecar~10.0.0.2~web-2.shop~shop.svc.cluster.local" },
  });
  const denied = await waitFor(() => other.ended(), { what: "the refusal" });
  expect(denied).toMatchObject({ code: 7, details: expect.stringContaining("web-1") as string });
  stranger.close();
  other.close();
});
