import { expect, test } from "vitest";
import { PEER_KEYS, type PeerLabels } from "../../src/base/peer.ts";
import { authenticate, type Caller, TOKEN_AUDIENCE } from "../../src/controlplane/caller.ts";
import { type NodeClaim, proxyOf, readNode, refuseNode } from "../../src/controlplane/node.ts";
import { createRoot, signWorkload } from "../../src/pki/ca.ts";
import { createCsr } from "../../src/pki/create-csr.ts";
import type { ReviewedToken } from "../../src/resources/cluster.ts";
import type { Pod } from "../../src/resources/core.ts";

const peer = Object.fromEntries(PEER_KEYS.map((key) => [key, "x"])) as PeerLabels;
const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };

async function certificate(trustDomain: string): Promise<Buffer> {
  const root = await createRoot(trustDomain, validity);
  const { csr } = await createCsr();
  const identity = { trustDomain, namespace: "shop", serviceAccount: "web" };
  const pem = await signWorkload(root, csr, { identity, peer, podUid: "u-1" }, validity);
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
}

const reviewed: ReviewedToken = {
  username: "system:serviceaccount:shop:web",
  groups: ["system:serviceaccounts", "system:authenticated"],
  extra: { "authentication.kubernetes.io/pod-name": ["web-1"], "authentication.kubernetes.io/pod-uid": ["u-1"] },
};

function deps(answer: ReviewedToken | undefined) {
  const asked: (readonly string[])[] = [];
  return {
    asked,
    trustDomains: () => ["cluster.local", "old.local"] as const,
    reviewToken(_token: string, audiences: readonly string[]) {
      asked.push(audiences);
      return Promise.resolve(answer);
    },
  };
}
const address = "10.0.0.1:1";

test("a certificate comes first, also of a former trust domain; of a foreign one it counts as none", async () => {
  const known = deps(reviewed);
  const found = await authenticate(known, { address, certificate: await certificate("old.local"), bearer: "a.b.c" });
  expect(found).toMatchObject({
    by: "certificate",
    podUid: "u-1",
    identity: { namespace: "shop", serviceAccount: "web" },
  });
  expect(known.asked).toEqual([]);
  const foreign = await authenticate(known, {
    address,
    certificate: await certificate("evil.example"),
    bearer: "a.b.c",
  });
  expect(foreign?.by).toBe("token");
  expect(known.asked).toEqual([[TOKEN_AUDIENCE]]);
  expect(
    await authenticate(known, { address, certificate: await certificate("evil.example"), bearer: undefined }),
  ).toBeUndefined();
});

test("a token is reviewed; what cannot be one is not even asked about", async () => {
  const known = deps(reviewed);
  expect(await authenticate(known, { address, certificate: undefined, bearer: "a.b.c" })).toMatchObject({
    by: "token",
    podName: "web-1",
    podUid: "u-1",
    identity: { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" },
  });
  for (const bearer of ["", "abc", "a.b", `a.b.${"c".repeat(20_000)}`])
    expect(await authenticate(known, { address, certificate: undefined, bearer })).toBeUndefined();
  expect(known.asked).toHaveLength(1);
  const noAccount = { ...reviewed, username: "alice" };
  expect(await authenticate(deps(noAccount), { address, certificate: undefined, bearer: "a.b.c" })).toBeUndefined();
  const noGroup = { ...reviewed, groups: [] };
  expect(await authenticate(deps(noGroup), { address, certificate: undefined, bearer: "a.b.c" })).toBeUndefined();
  expect(await authenticate(deps(undefined), { address, certificate: undefined, bearer: "a.b.c" })).toBeUndefined();
});

const id = "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local";

test("nodes are read, and said why not", () => {
  expect(
    readNode({ id, metadata: { SERVICE_ACCOUNT: "web", INSTANCE_IPS: "10.0.0.9,fd00::1,nonsense" } }),
  ).toMatchObject({
    type: "sidecar",
    name: "web-1",
    namespace: "shop",
    serviceAccount: "web",
    addresses: ["10.0.0.9", "fd00::1"],
    interception: "REDIRECT",
    bind: undefined,
  });
  const bind = { prefix: "127.3", appAddress: "127.3.0.2", httpProxyPort: 15080 };
  const explicit = readNode({ id, metadata: { INTERCEPTION_MODE: "NONE", MESH_BIND: JSON.stringify(bind) } });
  expect(explicit).toMatchObject({ interception: "NONE", bind, dns: undefined });
  expect(readNode({ id, metadata: { DNS_CAPTURE: "true" } })).toMatchObject({ dns: { autoAddresses: true } });
  const without = { DNS_CAPTURE: "true", DNS_AUTO_ALLOCATE: "false" };
  expect(readNode({ id, metadata: without })).toMatchObject({ dns: { autoAddresses: false } });
  const config = { gatewayTopology: { numTrustedProxies: 2 }, proxyHeaders: { attemptCount: { disabled: true } } };
  const gateway = readNode({ id: id.replace("sidecar", "router"), metadata: { PROXY_CONFIG: config } });
  expect(gateway).toMatchObject({ settings: { topology: { trustedProxies: 2 }, headers: { attemptCount: false } } });
  const bad = [
    undefined,
    {},
    { id: "x" },
    { id: "ztunnel~10.0.0.1~a.b~c" },
    { id: "sidecar~10.0.0.1~noname~c" },
    { id: "sidecar~no-ip~a.b~c" },
    { id, metadata: { MESH_BIND: "{" } },
    { id, metadata: { MESH_BIND: "null" } },
    { id: "y".repeat(100_000) },
  ];
  for (const node of bad) {
    const why = readNode(node);
    expect(typeof why).toBe("string");
    expect((why as string).length).toBeLessThan(300);
  }
});

const claim = readNode({ id, metadata: { NAMESPACE: "shop", SERVICE_ACCOUNT: "web" } }) as NodeClaim;
const caller: Caller = {
  identity: { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" },
  podUid: "u-1",
  podName: "web-1",
  expiresAt: undefined,
  by: "token",
};

test("a caller may be its own node only", () => {
  expect(refuseNode(claim, caller)).toBeUndefined();
  const as = (changes: Partial<Caller["identity"]>) => ({ ...caller, identity: { ...caller.identity, ...changes } });
  expect(refuseNode(claim, as({ namespace: "other" }))).toContain("namespace other");
  expect(refuseNode(claim, as({ serviceAccount: "other" }))).toContain("service account other");
  expect(refuseNode(claim, { ...caller, podName: "web-2" })).toContain("web-2");
});

test("labels and addresses come from the pod, and only from the caller's own", () => {
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web-1", namespace: "shop", uid: "u-1", labels: { app: "web" } },
    spec: { serviceAccountName: "web", containers: [] },
    status: { podIP: "10.0.0.7" },
  };
  const known = (changed: Pod | undefined) => proxyOf(claim, caller, { pod: changed, clusterId: "c1" });
  expect(known(pod)).toMatchObject({
    labels: { app: "web" },
    addresses: ["10.0.0.7"],
    clusterId: "c1",
    serviceAccount: "web",
  });
  expect(known(pod)?.peer).toMatchObject({ app: "web", ns: "shop", cluster: "c1" });
  expect(known(undefined)).toBeUndefined();
  expect(known({ ...pod, metadata: { ...pod.metadata, uid: "u-2" } })).toBeUndefined();
  expect(known({ ...pod, spec: { serviceAccountName: "other", containers: [] } })).toBeUndefined();
});
