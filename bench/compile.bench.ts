// World -> IR: 1,000 services of 10 endpoints in 50 namespaces, from scratch and after one change, with all proxies held as
// meshd holds them (one effect per scope).
import { Bench } from "tinybench";
import { createMesh, type Mesh } from "../src/compile/mesh.ts";
import type { ProxyConfig } from "../src/ir/config.ts";
import type { Proxy } from "../src/ir/proxy.ts";
import { callerIn, meshObjects, NAMESPACES, namespaceOf, slice, virtualService } from "./large-mesh.ts";
import { createWorldStore, type WorldStore } from "../src/resources/world-store.ts";

const proxies = Array.from({ length: NAMESPACES }, (_, index) => callerIn(namespaceOf(index), index));

/** Reads everything a proxy is to run; returns how many pieces there were. */
function readAll(mesh: Mesh, proxy: Proxy): number {
  const config = mesh.proxyConfig(proxy);
  let pieces = config.outboundListeners().length;
  for (const { name } of config.clusterNames()) {
    if (config.cluster(name) !== undefined) pieces++;
    pieces += config.endpoints(name)?.endpoints.length ?? 0;
  }
  for (const name of config.routeTableNames()) pieces += config.routeTable(name)?.virtualHosts.length ?? 0;
  config.inbound();
  return pieces;
}

function filled(): WorldStore {
  const store = createWorldStore();
  store.apply(meshObjects().map((object) => ({ type: "set", object })));
  return store;
}

/** A running control plane: a derivation for each resource, as meshd's store has them, held by an effect for each scope. */
function running(): { readonly store: WorldStore; readonly end: () => void } {
  const store = filled();
  const mesh = createMesh(store);
  const { derivations } = store;
  const configs = proxies.map((proxy) => mesh.proxyConfig(proxy));
  const cluster = derivations.keyed("bench cluster", (index: number, name: string) => configs[index]?.cluster(name));
  const endpoints = derivations.keyed("bench endpoints", (index: number, name: string) =>
    configs[index]?.endpoints(name),
  );
  const all = derivations.keyed("bench all", (index: number) => {
    const config = configs[index] as ProxyConfig;
    const names = config.clusterNames().map(({ name }) => name);
    return [
      names.map((name) => cluster(index, name)),
      names.map((name) => endpoints(index, name)),
      config.outboundListeners(),
      config.routeTableNames().map((name) => config.routeTable(name)),
      config.inbound(),
    ];
  });
  const ends = configs.map((_, index) => derivations.effect(() => void all(index)));
  return { store, end: () => ends.forEach((end) => end()) };
}

const bench = new Bench({ time: 300, iterations: 3, warmup: false });
const live = running();
let flip = 0;
bench
  .add("fill the World (12,000 objects)", () => void filled())
  .add("one proxy from scratch", () => {
    const store = filled();
    const end = store.derivations.keep();
    readAll(createMesh(store), proxies[0] as Proxy);
    end();
  })
  .add("50 scopes from scratch", () => running().end())
  .add("one endpoint change, 50 scopes held", () => {
    live.store.apply([{ type: "set", object: slice(7, 9 + (flip++ % 2)) }]);
  })
  .add("one VirtualService change, 50 scopes held", () => {
    live.store.apply([{ type: "set", object: virtualService(10 + (flip++ % 2)) }]);
  });
await bench.run();
console.table(bench.table());
console.log(
  `derivations held: ${live.store.derivations.size()}; heap: ${(process.memoryUsage().heapUsed / 1e6).toFixed(0)} MB`,
);
live.end();
