import { createServer, type Server } from "node:http";
import { request } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRoot, issueServing } from "../../../src/pki/ca.ts";
import type { ProxyStatus } from "../../../src/controlplane/xds-status.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { type Installed, install } from "../../support/controlplane/installed.ts";
import { pod } from "../../support/controlplane/mesh-objects.ts";
import { type RealProxy, startRealProxy } from "../../support/controlplane/real-proxy.ts";
import { waitFor } from "../../support/wait.ts";

// A real Envoy as a gateway, fed by meshd, which reads the gateway's certificate from a real kube-apiserver with the
// permissions of the rendered manifests.

const HOST = "shop.example.com";
const EDGE = { prefix: "127.241", pod: "edge-1", account: "web" };
const OTHER = { prefix: "127.242", pod: "edge-2", account: "other" };

let mesh: Installed;
let app: Server;
let proxy: RealProxy;
let roots: string;
let pair: Pair;
const proxies: RealProxy[] = [];

interface Pair {
  readonly roots: string;
  readonly chain: string;
  readonly key: string;
}

/** A certificate for HOST, from a CA of its own. */
async function certificatePair(): Promise<Pair> {
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3600_000) };
  const ca = await createRoot("example.com", validity);
  const { certificate, key } = await issueServing(ca, { dns: [HOST] }, validity);
  return { roots: ca.certificate, chain: certificate, key: key.pem() };
}

const secret = ({ chain, key }: Pair): KubeObject => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "shop-cert", namespace: "shop" },
  type: "kubernetes.io/tls",
  data: { "tls.crt": Buffer.from(chain).toString("base64"), "tls.key": Buffer.from(key).toString("base64") },
});

const apply = (object: KubeObject) => mesh.cluster.apply(object, { fieldManager: "test", force: true });

async function startGateway(at: typeof EDGE): Promise<RealProxy> {
  const place = { namespace: "shop", name: at.pod, account: at.account, ip: `${at.prefix}.0.1` };
  const uid = await pod(mesh.cluster, place, { app: "edge" });
  const token = await mesh.tokenOf("shop", at.account, { name: at.pod, uid });
  const who = { namespace: "shop", ...at, type: "router" } as const;
  const started = await startRealProxy({ port: mesh.ports.secureGrpc, roots, token, ...who });
  proxies.push(started);
  return started;
}

/** Body of an HTTPS answer of the gateway, verified by these roots; undefined while there is none. */
function ask(prefix: string, ca: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { host: `${prefix}.0.1`, port: 8443, servername: HOST, headers: { host: HOST }, ca, agent: false };
    const asked = request(options, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
      answer.on("end", () => resolve(`${answer.statusCode} ${text}`));
    });
    asked.on("error", () => resolve(undefined));
    asked.end();
  });
}

beforeAll(async () => {
  mesh = await install();
  pair = await certificatePair();
  app = createServer((_request, response) => response.end("hello"));
  await new Promise<void>((resolve) => app.listen(8080, "127.241.9.1", resolve));
  // Kubernetes takes no endpoint on loopback: a ServiceEntry may name one.
  await apply({
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: "hello", namespace: "shop" },
    spec: {
      hosts: ["hello.internal"],
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
      resolution: "STATIC",
      endpoints: [{ address: "127.241.9.1", ports: { http: 8080 } }],
    },
  });
  const metadata = { name: "edge-secrets", namespace: "shop" };
  await apply({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata,
    rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get", "list", "watch"] }],
  });
  await apply({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "edge-secrets" },
    subjects: [{ kind: "ServiceAccount", name: EDGE.account, namespace: "shop" }],
  });
  await apply(secret(pair));
  await apply({
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name: "edge", namespace: "shop" },
    spec: {
      selector: { app: "edge" },
      servers: [
        {
          port: { number: 8443, name: "https", protocol: "HTTPS" },
          hosts: [HOST],
          tls: { mode: "SIMPLE", credentialName: "shop-cert" },
        },
      ],
    },
  });
  await apply({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "hello", namespace: "shop" },
    spec: { hosts: [HOST], gateways: ["edge"], http: [{ route: [{ destination: { host: "hello.internal" } }] }] },
  });
  await mesh.startPlane();
  roots = await mesh.roots();
  proxy = await startGateway(EDGE);
});

afterAll(async () => {
  for (const started of proxies) await started.stop();
  await mesh?.stop();
  app?.close();
});

test("an HTTPS request is answered with the certificate of the Secret that credentialName names", async () => {
  const answer = await waitFor(() => ask(EDGE.prefix, pair.roots), { timeoutMs: 20_000, what: "an HTTPS answer" });
  expect(answer).toBe("200 hello");
  expect(await proxy.dump()).toContain("kubernetes://shop-cert");
});

test("a renewed certificate is used at once", async () => {
  const renewed = await certificatePair();
  await apply(secret(renewed));
  expect(await waitFor(() => ask(EDGE.prefix, renewed.roots), { what: "the renewed certificate" })).toBe("200 hello");
  expect(await ask(EDGE.prefix, pair.roots)).toBeUndefined();
  pair = renewed;
});

test("a new control plane takes no certificate away", async () => {
  await mesh.stopPlane();
  await mesh.startPlane();
  const synced = async (): Promise<boolean> => {
    const answer = await fetch(`http://127.0.0.1:${mesh.ports.monitoring}/debug/syncz`);
    const [status] = (await answer.json()) as { types: Record<string, { status: string }> }[];
    return status?.types["secret"]?.status === "SYNCED" && status.types["listener"]?.status === "SYNCED";
  };
  await waitFor(synced, { timeoutMs: 20_000, what: "the gateway to come back" });
  expect(await ask(EDGE.prefix, pair.roots)).toBe("200 hello");
  expect(await proxy.stat("listener_manager.lds.update_rejected")).toBe(0);
});

test("the key is in no dump of the control plane and in no line of its log", async () => {
  const url = `http://127.0.0.1:${mesh.ports.monitoring}/debug/config_dump?proxyID=${EDGE.pod}.shop`;
  const dump = await (await fetch(url)).text();
  expect(dump).toContain("kubernetes://shop-cert");
  const line = pair.key.split("\n")[1]!;
  expect(dump).not.toContain(line);
  expect(dump).not.toContain("PRIVATE KEY");
  const said = JSON.stringify(mesh.log.lines);
  expect(said).not.toContain("PRIVATE KEY");
  expect(said).not.toContain(line.slice(0, 20));
  expect(mesh.log.lines.filter(({ level }) => level === "error")).toEqual([]);
});

test("an account that may not list Secrets gets none", async () => {
  const other = await startGateway(OTHER);
  const status = async (): Promise<ProxyStatus | undefined> => {
    const answer = await fetch(`http://127.0.0.1:${mesh.ports.monitoring}/debug/syncz`);
    return ((await answer.json()) as ProxyStatus[]).find((each) => each.proxy === `${OTHER.pod}.shop`);
  };
  // it has the listener and has asked for the secret: everything that is to come is there
  const asked = async (): Promise<boolean> => {
    const types = (await status())?.types ?? {};
    return types.listener?.status === "SYNCED" && types.secret !== undefined && types.secret.status !== "STALE";
  };
  await waitFor(asked, { timeoutMs: 20_000, what: "its request for the secret" });
  expect(await other.dump("?resource=dynamic_active_secrets")).not.toContain("shop-cert");
  expect(await ask(OTHER.prefix, pair.roots)).toBeUndefined();
});
