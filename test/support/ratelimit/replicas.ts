import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ca, signWorkload, type Validity } from "../../../src/pki/ca.ts";
import { createCsr } from "../../../src/pki/create-csr.ts";
import { peerOf } from "../../../src/model/workload.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { waitFor } from "../wait.ts";

/** A replica of the rate limit service: the built program, as a process of its own. */
export interface Replica {
  readonly address: string;
  log(): string;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

const NO_LABELS = peerOf({ ns: "istio-system", app: "ratelimit", cluster: "Kubernetes" });
const PORT = 8081;
const HTTP_PORT = 8080;

/** Addresses that nobody else has: of a range that means nothing to the mesh. */
export function replicaAddresses(count: number): readonly string[] {
  const third = 10 + (process.pid % 200);
  return Array.from({ length: count }, (_, index) => `127.0.${third}.${index + 1}`);
}

/** The Service, its pods and endpoints, as install makes them. */
export function rateLimitObjects(addresses: readonly string[]): readonly KubeObject[] {
  const namespace = "istio-system";
  const pods = addresses.map((podIP, index) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      namespace,
      name: `ratelimit-${index}`,
      labels: { app: "ratelimit", "security.istio.io/tlsMode": "istio" },
    },
    spec: { serviceAccountName: "ratelimit", nodeName: "near", containers: [{ name: "ratelimit" }] },
    status: { podIP, phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  }));
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, name: "ratelimit" },
    spec: {
      clusterIP: "10.96.250.1",
      selector: { app: "ratelimit" },
      ports: [{ name: "grpc", port: PORT, targetPort: PORT }],
    },
  };
  const slice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace, name: "ratelimit-1", labels: { "kubernetes.io/service-name": "ratelimit" } },
    addressType: "IPv4",
    ports: [{ name: "grpc", port: PORT }],
    endpoints: pods.map(({ metadata, status }) => ({
      addresses: [status.podIP],
      conditions: { ready: true },
      targetRef: { kind: "Pod", name: metadata.name, namespace },
    })),
  };
  return [...pods, service, slice] as unknown as readonly KubeObject[];
}

/** A certificate of the service, in files as the program reads them. */
export async function certificateFolder(ca: Ca, validity: Validity, serviceAccount = "ratelimit"): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "ratelimit-"));
  const { csr, key } = await createCsr();
  const identity = { trustDomain: "cluster.local", namespace: "istio-system", serviceAccount };
  const leaf = await signWorkload(ca, csr, { identity, peer: NO_LABELS }, validity);
  writeFileSync(join(folder, "cert-chain.pem"), [leaf, ...ca.intermediates].join(""));
  writeFileSync(join(folder, "key.pem"), key.pem());
  writeFileSync(join(folder, "root-cert.pem"), ca.certificate);
  return folder;
}

/** Starts a replica beside the others, and waits until it is ready. */
export async function startReplica(
  address: string,
  { peers, folder }: { readonly peers: readonly string[]; readonly folder: string },
): Promise<Replica> {
  const child: ChildProcess = spawn(
    process.execPath,
    [
      "bin/meshd.js",
      "ratelimit",
      `--grpcAddr=${address}:${PORT}`,
      `--httpAddr=${address}:${HTTP_PORT}`,
      `--self=${address}:${PORT}`,
      `--peers=${peers.map((peer) => `${peer}:${PORT}`).join(",")}`,
      `--certificates=${folder}`,
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  const isReady = async (): Promise<boolean> => {
    const answer = await fetch(`http://${address}:${HTTP_PORT}/ready`).catch(() => undefined);
    return answer?.ok === true || child.exitCode !== null;
  };
  await waitFor(isReady, { what: `the rate limit service at ${address}`, timeoutMs: 60_000 });
  if (child.exitCode !== null) throw new Error(`the rate limit service ended with ${child.exitCode}: ${text}`);
  return {
    address,
    log: () => text,
    async kill(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}

/** Removes folders of certificates. */
export function removeFolders(folders: readonly string[]): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
