// `meshctl inject` of 1,000 Deployments and of one: wall of whole processes, bare Node beside them. With ISTIOCTL set to a program,
// `istioctl kube-inject` of the same files runs in turn with it, on the configuration that its own `manifest generate` writes (it
// wants an API server all the same, and gets an empty one), and the ratio is told.
import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ConfigMap } from "../src/resources/core.ts";
import { readValues } from "../src/resources/yaml-values.ts";
import { documentsOf } from "../src/resources/yaml-documents.ts";

const cli = fileURLToPath(new URL("../bin/meshctl.js", import.meta.url));
const peer = process.env["ISTIOCTL"];
const ROUNDS = 7;
const scratch = mkdtempSync(join(tmpdir(), "meshctl-bench-"));
const env = { PATH: process.env["PATH"], HOME: scratch };

function deployment(index: number): string {
  const name = `app-${index}`;
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: shop
  labels:
    app: ${name}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
        version: v1
    spec:
      serviceAccountName: ${name}
      containers:
        # what it is about
        - name: app
          image: registry.example.org/${name}:1.2.3
          ports:
            - name: http
              containerPort: 8080
          env:
            - name: MODE
              value: production
          readinessProbe:
            httpGet:
              path: /ready
              port: http
            periodSeconds: 5
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
`;
}

function input(count: number): string {
  const path = join(scratch, `${count}.yaml`);
  writeFileSync(path, Array.from({ length: count }, (_, index) => deployment(index)).join("---\n"));
  return path;
}

function wall(program: string, args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(program, args, { env, encoding: "utf8", maxBuffer: 1e9, timeout: 120_000 });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with exit code ${String(status)}\n${stderr}`);
  return performance.now() - start;
}

/** Flags with the peer's own configuration in files, and with the empty cluster. */
function peerFlags(program: string, port: number): readonly string[] {
  const kubeconfig = join(scratch, "kubeconfig");
  const cluster = { name: "c", cluster: { server: `http://127.0.0.1:${port}` } };
  const context = { name: "c", context: { cluster: "c", user: "u" } };
  const users = [{ name: "u", user: {} }];
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [cluster],
    contexts: [context],
    users,
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  const { stdout } = spawnSync(program, ["manifest", "generate"], { env, encoding: "utf8", maxBuffer: 1e9 });
  const objects = documentsOf(stdout).flatMap(({ text }) => readValues(text)) as readonly ConfigMap[];
  const write = (name: string, key: string): string => {
    const map = objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === name);
    const path = join(scratch, `${name}-${key}`);
    writeFileSync(path, map?.data?.[key] ?? "");
    return path;
  };
  return [
    "--kubeconfig",
    kubeconfig,
    "--meshConfigFile",
    write("istio", "mesh"),
    "--valuesFile",
    write("istio-sidecar-injector", "values"),
    "--injectConfigFile",
    write("istio-sidecar-injector", "config"),
  ];
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

let cluster: ChildProcess | undefined;
try {
  if (peer !== undefined) cluster = fork(fileURLToPath(new URL("../scripts/bench/empty-cluster.ts", import.meta.url)));
  const [port] = cluster === undefined ? [0] : ((await once(cluster, "message")) as [number]);
  const flags = peer === undefined ? [] : peerFlags(peer, port);
  console.log(`${"".padEnd(18)} bare Node    meshctl   over bare${peer === undefined ? "" : "    istioctl   ratio"}`);
  for (const count of [1000, 1]) {
    const file = input(count);
    const [bare, own, others]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(wall(process.execPath, ["-e", "0"]));
      own.push(wall(process.execPath, [cli, "inject", "-f", file, "-o", join(scratch, "out.yaml")]));
      if (peer !== undefined)
        others.push(wall(peer, ["kube-inject", "-f", file, "-o", join(scratch, "peer.yaml"), ...flags]));
    }
    const cells = [median(bare), median(own), median(own) - median(bare)];
    const ratios = own.map((ms, index) => ms / (others[index] ?? Number.NaN));
    const against =
      peer === undefined ? "" : `${median(others).toFixed(0).padStart(9)} ms   ${median(ratios).toFixed(2)}`;
    const name = `${count} Deployment${count === 1 ? "" : "s"}`;
    console.log(`${name.padEnd(18)} ${cells.map((ms) => `${ms.toFixed(0).padStart(6)} ms`).join("  ")}${against}`);
  }
} finally {
  cluster?.kill();
  rmSync(scratch, { recursive: true });
}
