import { createServer } from "node:net";
import { issueServing } from "../../../src/pki/ca.ts";
import { waitFor } from "../wait.ts";
import type { RunningEnvoy } from "../envoy/run-envoy.ts";
import { startBackend, type Received } from "./backend.ts";
import type { TrafficCase } from "./case.ts";
import { caseObjects, meshObjects, type Name, type Places, PORTS } from "./mesh-objects.ts";
import { type Plane, startPlane } from "./plane.ts";
import { startMeshProxy } from "./proxy.ts";

/** The test mesh: one plane, a client, two servers and a gateway as real Envoys, three applications. */
export interface Lab {
  readonly places: Places;
  readonly plane: Plane;
  readonly proxies: Readonly<Record<"client" | "v1" | "v2" | "gateway", RunningEnvoy>>;
  /** Address of a service's cluster IP for the client; undefined: no such service. */
  address(namespace: string, service: string): string | undefined;
  /** Requests with this id that applications got. */
  received(id: string): readonly Received[];
  stop(): Promise<void>;
}

/** Name of the applications' TLS certificate. */
const SECURE_HOST = "secure.example.com";

const HTTP_PROXY_PORT = 15_080;

/** Starts everything for these cases and waits until the client has what they say. */
export async function startLab(cases: readonly TrafficCase[]): Promise<Lab> {
  const places = await freePlaces();
  const objects = cases.flatMap((item, index) => caseObjects(item, index, places));
  const plane = await startPlane([...meshObjects(places), ...objects]);
  const seen = new Map<string, Received[]>();
  const onRequest = (id: string, request: Received): void => {
    const list = seen.get(id) ?? [];
    list.push(request);
    seen.set(id, list);
  };
  const turns = new Map<string, number>();
  const { greeting, secure, ...others } = PORTS;
  const serving = await issueServing(plane.ca, { dns: [SECURE_HOST] }, plane.validity);
  const tls = { port: secure, certificate: serving.certificate, key: serving.key.pem() };
  const app = (who: Name, host: string) =>
    startBackend({ who, host, ports: Object.values(others), greeting, tls, turns, onRequest });
  // v3 has no sidecar: its application stands where the pod is dialled
  const apps = await Promise.all([
    app("v1", `${places.v1}.0.2`),
    app("v2", `${places.v2}.0.2`),
    app("v3", `${places.v3}.0.1`),
  ]);
  const start = (name: Name): Promise<RunningEnvoy> => startMeshProxy(plane, name, places[name]);
  const [client, v1, v2, gateway] = await Promise.all([start("client"), start("v1"), start("v2"), start("gateway")]);
  const proxies = { client, v1, v2, gateway } as Lab["proxies"];
  const stop = async (): Promise<void> => {
    await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()));
    for (const one of apps) one.close();
    await plane.close();
  };
  const address = (namespace: string, service: string): string | undefined => {
    const [, , third = "", fourth = ""] = (
      plane.state.world.get("Service", namespace, service)?.spec?.clusterIP ?? ""
    ).split(".");
    return fourth === "" ? undefined : `${places.client}.${third}.${fourth}`;
  };
  try {
    for (const [name, proxy] of Object.entries(proxies))
      await waitFor(async () => (await proxy.admin("/ready")).startsWith("LIVE"), {
        what: `${name} to be ready: ${proxy.log()}`,
        timeoutMs: 60_000,
      });
  } catch (error) {
    await stop();
    throw error;
  }
  return { places, plane, proxies, address, received: (id) => seen.get(id) ?? [], stop };
}

/** Where the client sends requests for hosts that are no service. */
export function httpProxy(places: Places): { readonly host: string; readonly port: number } {
  return { host: `${places.client}.0.1`, port: HTTP_PROXY_PORT };
}

/** Prefixes of loopback addresses that nobody else uses now. */
async function freePlaces(): Promise<Places> {
  const names: readonly Name[] = ["client", "v1", "v2", "v3", "gateway"];
  const first = 10 + Math.floor(Math.random() * 200);
  const found: string[] = [];
  for (let step = 0; step < 40 && found.length < names.length; step += 1) {
    const prefix = `127.${10 + ((first - 10 + step) % 240)}`;
    if (await isFree(`${prefix}.0.1`)) found.push(prefix);
  }
  if (found.length < names.length) throw new Error("no free loopback addresses");
  return Object.fromEntries(names.map((name, index) => [name, found[index]])) as unknown as Places;
}

function isFree(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(HTTP_PROXY_PORT, host, () => server.close(() => resolve(true)));
  });
}
