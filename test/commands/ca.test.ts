import { createSecureContext, createServer, type TLSSocket } from "node:tls";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run as create } from "../../src/commands/ca/create.ts";
import { phaseOf } from "../../src/commands/ca/judge.ts";
import { type RotateOptions, rotate } from "../../src/commands/ca/rotate.ts";
import { readAuthorities } from "../../src/commands/ca/secrets.ts";
import { run as status } from "../../src/commands/ca/status.ts";
import { authorityData, encoded, readAuthority } from "../../src/pki/authority-secret.ts";
import { type Ca, createRoot, issueServing, signWorkload } from "../../src/pki/ca.ts";
import { createCsr } from "../../src/pki/create-csr.ts";
import { readRevocationLists, revoke } from "../../src/pki/revocation.ts";
import { PEER_KEYS, type PeerLabels } from "../../src/base/peer.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { type FakeCluster, fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";

// A control plane and one proxy that hold what the Secrets say at once, unless they are told to lag.

const DAY_MS = 24 * 3_600_000;
const validity = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + 1000 * DAY_MS) };
const labels = Object.fromEntries(PEER_KEYS.map((key) => [key, key])) as PeerLabels;
const identity = { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" };
const ISTIO = "istio-system";

interface World {
  readonly cluster: FakeCluster;
  /** The proxy keeps what it has. */
  lags: boolean;
  close(): void;
}

let first: Ca;
let world: World;

beforeAll(async () => {
  first = await createRoot("cluster.local", validity);
  world = await startWorld();
});
afterAll(() => world.close());

const map = (roots: string): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "istio-ca-root-cert", namespace: "shop" },
  data: { "root-cert.pem": roots },
});

async function startWorld(): Promise<World> {
  const secret = (name: string, data: Readonly<Record<string, string>>): KubeObject => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: ISTIO },
    data,
  });
  let held: { readonly roots: string; readonly leaf: string; readonly crl: string } | undefined;
  const now = async () => {
    const { current } = await readAuthorities(world.cluster, ISTIO);
    const { ca, revocations } = current;
    if (held === undefined || !world.lags) {
      const leaf = await signWorkload(ca, (await createCsr()).csr, { identity, peer: labels }, validity);
      held = { roots: ca.roots, leaf: [leaf, ...ca.intermediates].join(""), crl: revocations };
    }
    world.cluster.set(map(ca.roots));
    return { ca, held };
  };
  const http = createHttpServer((request, response) => {
    void now().then(({ held: { roots, leaf, crl } }) => {
      const proxies = [{ proxy: "web-1.shop", cluster_id: "Kubernetes", istio_version: "", types: {} }];
      const secrets = [
        { name: "default", secret: { tls_certificate: { certificate_chain: { inline_string: leaf } } } },
        {
          name: "ROOTCA",
          secret: { validation_context: { trusted_ca: { inline_string: roots }, crl: { inline_string: crl } } },
        },
      ];
      response.end(JSON.stringify(request.url?.startsWith("/debug") === true ? proxies : { configs: secrets }));
    });
  });
  const tls = createServer({
    ALPNProtocols: ["h2"],
    SNICallback: (_name, answer) => {
      void now()
        .then(({ ca }) =>
          issueServing(ca, { dns: ["istiod.istio-system.svc"] }, validity).then((pair) => ({ ca, pair })),
        )
        .then(({ ca, pair }) => {
          const cert = [pair.certificate, ...ca.intermediates].join("");
          answer(null, createSecureContext({ cert, key: pair.key.pem() }));
        });
    },
  });
  tls.on("secureConnection", (socket: TLSSocket) => socket.on("error", () => undefined));
  tls.on("tlsClientError", () => undefined);
  for (const server of [http, tls]) await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const portOf = (server: typeof http | typeof tls): number => (server.address() as AddressInfo).port;
  const cluster = fakeCluster({
    objects: [
      secret("istio-ca-secret", encoded({ "ca-cert.pem": first.certificate, "ca-key.pem": first.key.pem() })),
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
      map(first.roots),
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "istiod-1", namespace: ISTIO, labels: { app: "istiod" } },
        status: { phase: "Running" },
      },
    ],
    portForward: ({ port }) => connect(portOf(port === 15_012 ? tls : http), "127.0.0.1"),
  });
  const close = (): void => {
    http.close();
    http.closeAllConnections();
    tls.close();
  };
  return { cluster, lags: false, close };
}

const options: RotateOptions = {
  istioNamespace: ISTIO,
  from: undefined,
  timeoutMs: 60_000,
  step: false,
  abort: false,
  isConfirmed: true,
  ignored: [],
};
const ioOf = () => fakeIo({ cluster: world.cluster, now: () => new Date() });
const names = () => world.cluster.objects().flatMap(({ kind, metadata }) => (kind === "Secret" ? [metadata.name] : []));

test("phase by phase: trusted, then signing, then alone; what lags holds the next phase back", async () => {
  const io = ioOf();
  world.lags = true;
  expect((await status({ args: [], options: { output: "json" } }, io)).exitCode).toBe(0);
  expect((await rotate({ ...options, step: true, timeoutMs: 1 }, io)).exitCode).toBe(1);
  const { current, next } = await readAuthorities(world.cluster, ISTIO);
  expect(phaseOf(current, next!.ca)).toBe("sign");
  expect(current.ca.certificate).toBe(first.certificate);
  // who does not trust the next root yet keeps the next authority from signing
  expect((await rotate({ ...options, timeoutMs: 1 }, io)).exitCode).toBe(1);
  expect((await readAuthorities(world.cluster, ISTIO)).current.ca.certificate).toBe(first.certificate);
  expect((await rotate({ ...options, timeoutMs: 1, step: true, ignored: ["web-1.shop"] }, io)).exitCode).toBe(0);
  const signing = (await readAuthorities(world.cluster, ISTIO)).current;
  expect(signing.ca.certificate).toBe(next!.ca.certificate);
  // and who has no certificate of the next one keeps the former root
  expect((await rotate({ ...options, timeoutMs: 1 }, io)).exitCode).toBe(1);
  expect((await readAuthorities(world.cluster, ISTIO)).current.ca.roots).toContain(first.certificate.trim());
  expect((await rotate({ ...options, abort: true }, io)).exitCode).toBe(1);
  world.lags = false;
  expect((await rotate(options, io)).exitCode).toBe(0);
  const last = await readAuthorities(world.cluster, ISTIO);
  expect([last.next, last.current.ca.roots]).toEqual([undefined, last.current.ca.certificate]);
  expect(names()).toEqual(["istio-ca-secret"]);
});

test("a rotation is given up: as before; an authority of one's own comes by its folder, with a list where lists are checked", async () => {
  const io = ioOf();
  const before = (await readAuthorities(world.cluster, ISTIO)).current;
  world.lags = true;
  expect((await rotate({ ...options, timeoutMs: 1 }, io)).exitCode).toBe(1);
  expect((await rotate({ ...options, abort: true }, io)).exitCode).toBe(0);
  expect((await readAuthorities(world.cluster, ISTIO)).current.ca.roots).toBe(before.ca.roots);
  world.lags = false;
  const lists = await revoke(before.ca, "", ["5f"], new Date());
  const target = { apiVersion: "v1", kind: "Secret", namespace: ISTIO, name: "istio-ca-secret" };
  await world.cluster.mergePatch(target, { data: encoded({ "ca-crl.pem": lists }) });
  const folder = mkdtempSync(join(tmpdir(), "ca-"));
  try {
    const out = join(folder, "ca");
    expect((await create({ args: [], options: { out, key: "ecdsa" } }, io)).exitCode).toBe(0);
    expect((await rotate({ ...options, from: out }, io)).exitCode).toBe(0);
    await expect(create({ args: [], options: { out } }, io)).rejects.toThrow("cannot be written");
  } finally {
    rmSync(folder, { recursive: true });
  }
  const { current } = await readAuthorities(world.cluster, ISTIO);
  expect([current.secret, current.ca.intermediates.length]).toEqual(["cacerts", 1]);
  expect(readRevocationLists(current.revocations).map(({ serials }) => serials.length)).toEqual([1, 0]);
  await expect(rotate(options, io)).rejects.toThrow("an authority of your own");
  expect(`${io.stdout()}${io.stderr()}`).not.toContain("PRIVATE KEY");
  expect((await readAuthority("cacerts", authorityData(current.ca))).ca.roots).toBe(current.ca.roots);
});
