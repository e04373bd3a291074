import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueServing } from "../../../src/pki/ca.ts";
import { lane } from "../envoy/free-ports.ts";
import { waitFor } from "../wait.ts";
import { startBackend, type Received } from "./backend.ts";
import { startAuthorizer } from "./authorizer.ts";
import type { Issuers, TrafficCase } from "./case.ts";
import { explicitPort } from "../../../src/base/explicit-port.ts";
import { type Http3Client, startHttp3Client } from "./http3.ts";
import { startIssuer } from "./issuer.ts";
import { startModules } from "./modules.ts";
import { startProcessor } from "./processor.ts";
import { authorizerObjects, withWords } from "./security-objects.ts";
import { type CaseCertificates, caseCertificates, type CertificatePair } from "./case-certificates.ts";
import { testFiles } from "./files.ts";
import { caseObjects, meshObjects, type Name, NAMESPACE, type Places, PORTS } from "./mesh-objects.ts";
import { type Plane, startPlane } from "./plane.ts";
import { type MeshProxy, startMeshProxy } from "./proxy.ts";

/** The test mesh: one plane, a client, two servers and a gateway as real Envoys, three applications. */
export interface Lab {
  readonly places: Places;
  readonly plane: Plane;
  readonly issuers: Issuers;
  /** Folder of unix sockets, `$SOCKETS`: `app` is the application of `walled`. */
  readonly sockets: string;
  /** What `$NAME` in objects stands for. */
  readonly words: Readonly<Record<string, string>>;
  /** Speaks to the gateway; undefined when no case asks for it. */
  readonly http3: Http3Client | undefined;
  readonly proxies: Readonly<Record<"client" | "v1" | "v2" | "gateway" | "guard" | "walled", MeshProxy>>;
  /** Address of a service's cluster IP for the client; undefined: no such service. */
  address(namespace: string, service: string): string | undefined;
  /** A certificate of a case, by the case's namespace. */
  certificate(namespace: string, name: string): CertificatePair | undefined;
  /** Requests with this id that applications got. */
  received(id: string): readonly Received[];
  stop(): Promise<void>;
}

/** Name of the applications' TLS certificate. */
const SECURE_HOST = "secure.example.com";

const HTTP_PROXY_PORT = 15_080;
/** Prefixes from 127.10 on; those above are test/support/agent/pod.ts's. A multiple of the lanes. */
const PLACES = 224;
/** As many files may start a lab at the same time; fewer lanes than of ports, as each takes seven prefixes, and other runs of this machine some. */
const PLACE_LANES = 4;

/** Starts everything for these cases and waits until the client has what they say. `mesh`: more of the mesh's configuration. */
export async function startLab(
  cases: readonly TrafficCase[],
  mesh: Readonly<Record<string, unknown>> = {},
): Promise<Lab> {
  const places = await freePlaces();
  const issuers = { main: await startIssuer(), rotating: await startIssuer() };
  const authorizer = await startAuthorizer();
  const modules = await startModules();
  const processor = await startProcessor();
  const sockets = mkdtempSync(join(tmpdir(), "traffic-sockets-"));
  const words = {
    PROCESSOR: String(processor.port),
    SOCKETS: sockets,
    MODULES: modules.url,
    SHA256: modules.sha256,
    MAIN: issuers.main.url,
    ROTATING: issuers.rotating.url,
    KEYS: issuers.main.keys(),
  };
  const objects = [
    ...cases.flatMap((item, index) => caseObjects(item, index, places)).map((object) => withWords(object, words)),
    ...authorizerObjects(authorizer, mesh),
  ];
  const made = await Promise.all(cases.map(certificatesOf));
  const secrets = made.flatMap(({ certificates }) => certificates.secrets);
  const plane = await startPlane([...meshObjects(places), ...objects, ...secrets]);
  const seen = new Map<string, Received[]>();
  const onRequest = (id: string, request: Received): void => {
    const list = seen.get(id) ?? [];
    list.push(request);
    seen.set(id, list);
  };
  const turns = new Map<string, number>();
  const { greeting, secure, passed, ...others } = PORTS;
  const serving = await issueServing(plane.ca, { dns: [SECURE_HOST] }, plane.validity);
  const texts = await testFiles(plane, serving.certificate, secrets);
  const tls = { ports: [secure, passed], certificate: serving.certificate, key: serving.key.pem() };
  const app = (who: Name, host: string, socket = "") =>
    startBackend({ who, host, socket, ports: Object.values(others), greeting, tls, turns, onRequest });
  // v3 has no sidecar: its application stands where the pod is dialled
  const apps = await Promise.all([
    app("v1", `${places.v1}.0.2`),
    app("v2", `${places.v2}.0.2`),
    app("v3", `${places.v3}.0.1`),
    app("guard", `${places.guard}.0.2`),
    app("walled", `${places.walled}.0.2`, join(sockets, "app")),
  ]);
  const start = (name: Name): Promise<MeshProxy> => startMeshProxy(plane, name, { prefix: places[name], texts });
  const names = ["client", "v1", "v2", "gateway", "guard", "walled"] as const;
  const [client, v1, v2, gateway, guard, walled] = await Promise.all(names.map(start));
  const proxies = { client, v1, v2, gateway, guard, walled } as Lab["proxies"];
  const http3 = await http3For(cases, `${places.gateway}.0.1`);
  const stop = async (): Promise<void> => {
    await http3?.stop();
    await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()));
    for (const one of apps) one.close();
    await plane.close();
    for (const issuer of Object.values(issuers)) issuer.close();
    authorizer.close();
    rmSync(sockets, { recursive: true, force: true });
    modules.close();
    processor.close();
  };
  const address = (namespace: string, service: string): string | undefined => {
    const { type, clusterIP = "" } = plane.state.world.get("Service", namespace, service)?.spec ?? {};
    if (type === "ExternalName") return undefined;
    const [, , third = "", fourth = ""] = clusterIP.split(".");
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
  const certificate = (namespace: string, name: string): CertificatePair | undefined =>
    made.find((one) => one.namespace === namespace)?.certificates.pair(name);
  return {
    places,
    plane,
    issuers,
    sockets,
    words,
    http3,
    proxies,
    address,
    certificate,
    received: (id) => seen.get(id) ?? [],
    stop,
  };
}

/** A client for the ports that cases ask by HTTP/3. */
async function http3For(cases: readonly TrafficCase[], gateway: string): Promise<Http3Client | undefined> {
  const asked = cases.flatMap(({ requests }) => requests).filter(({ protocol }) => protocol === "http3");
  const ports = [...new Set(asked.map(({ port = 80 }) => explicitPort(port)))];
  return ports.length === 0 ? undefined : startHttp3Client(gateway, ports);
}

async function certificatesOf({
  namespace,
  certificates: wanted = {},
}: TrafficCase): Promise<{ readonly namespace: string; readonly certificates: CaseCertificates }> {
  return { namespace, certificates: await caseCertificates(wanted, { namespace: NAMESPACE, prefix: namespace }) };
}

/** Where the client sends requests for hosts that are no service. */
export function httpProxy(places: Places): { readonly host: string; readonly port: number } {
  return { host: `${places.client}.0.1`, port: HTTP_PROXY_PORT };
}

/** Prefixes of loopback addresses that nobody else uses now. */
export async function freePlaces(): Promise<Places> {
  const names: readonly Name[] = ["client", "v1", "v2", "v3", "gateway", "guard", "walled"];
  const turns = PLACES / PLACE_LANES;
  const first = randomInt(turns);
  const found: string[] = [];
  for (let step = 0; step < turns && found.length < names.length; step += 1) {
    const prefix = `127.${10 + (lane() % PLACE_LANES) + PLACE_LANES * ((first + step) % turns)}`;
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
