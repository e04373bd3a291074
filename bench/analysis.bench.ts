// What an analysis of 10,000 objects in its own thread costs the control plane's own: an endpoint changes every 20 ms; from the
// change to the derived configuration of a proxy, without and with analyses one after the other.
import { parseAllDocuments } from "yaml";
import { createMesh } from "../src/compile/mesh.ts";
import { createAnalysis } from "../src/controlplane/analysis/analysis.ts";
import { KIND_NAMES } from "../src/resources/kinds.ts";
import type { KubeObject } from "../src/resources/object.ts";
import { createWorldStore } from "../src/resources/world-store.ts";
import { bigMesh } from "../scripts/bench/big-mesh.ts";
import { callerIn } from "./large-mesh.ts";

const CHANGES = 300;
const EVERY_MS = 20;

const { yaml, objects } = bigMesh({ objects: 10_000 });
const read = parseAllDocuments(yaml).map((document) => document.toJS() as KubeObject);
const world = createWorldStore();
world.apply(read.map((object) => ({ type: "set", object })));
const target = read.find(({ kind }) => kind === "Service");
if (target === undefined) throw new Error("the mesh has no Service");
const namespace = target.metadata.namespace ?? "";

const slice = (count: number): KubeObject => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "bench", namespace, labels: { "kubernetes.io/service-name": target.metadata.name } },
  addressType: "IPv4",
  ports: [{ name: (target.spec as { ports: { name: string }[] }).ports[0]?.name ?? "", port: 8080 }],
  endpoints: Array.from({ length: count }, (_, index) => ({ addresses: [`10.1.0.${index + 1}`] })),
});

const mesh = createMesh(world, { derivations: world.derivations });
const config = mesh.proxyConfig(callerIn(namespace, 1));
const cluster = config.clusterNames().find(({ name }) => name.includes(`||${target.metadata.name}.`))?.name ?? "";
let derived = 0;
const release = world.derivations.effect(() => {
  config.endpoints(cluster);
  derived += 1;
});

let tookMs = 0;
const analysis = createAnalysis({
  world,
  held: new Set(KIND_NAMES),
  rootNamespace: "istio-system",
  domain: "cluster.local",
  worker: new URL("../dist/analysis-worker.js", import.meta.url),
  onSummary: (summary) => void ({ tookMs } = summary),
  onStatuses: () => undefined,
  log: { debug() {}, info() {}, warn: console.warn, error: console.error } as never,
});

async function measure(): Promise<readonly number[]> {
  const took: number[] = [];
  const start = performance.now();
  for (let index = 0; index < CHANGES; index += 1) {
    const due = start + index * EVERY_MS;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    const change = { type: "set" as const, object: slice(1 + (index % 20)) };
    const before = derived;
    world.apply([change]);
    analysis.changed([change]);
    if (derived === before) throw new Error("the change was not derived");
    // waiting for the turn is part of what a proxy waits
    took.push(performance.now() - due);
  }
  return took.toSorted((a, b) => a - b);
}

function row(name: string, took: readonly number[], analyses: number): void {
  const at = (share: number): string =>
    (took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0).toFixed(1);
  console.log(`${name.padEnd(28)} p50 ${at(0.5)} ms  p99 ${at(0.99)} ms  max ${at(1)} ms  analyses ${analyses}`);
}

console.log(`${objects} objects, ${CHANGES} endpoint changes, one every ${EVERY_MS} ms`);
row("warm-up", await measure(), 0);
row("without analysis", await measure(), 0);
let analyses = 0;
let over = false;
const busy = (async () => {
  while (!over) {
    await analysis.report("");
    analyses += 1;
  }
})();
row("with analyses, back to back", await measure(), analyses);
over = true;
await busy;
console.log(`one analysis takes ${tookMs.toFixed(0)} ms in its thread`);
release();
await analysis.close();
