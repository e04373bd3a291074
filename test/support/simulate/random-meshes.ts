import { createMesh } from "../../../src/compile/mesh.ts";
import { generatedOptions } from "../../../src/model/generated-options.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { createFixedWorld } from "../../../src/resources/world-fixed.ts";
import type { SimulatedRequest } from "../../../src/simulate/request.ts";
import type { Messages } from "../../../src/wire/codec.ts";
import { resourcesFor } from "../../../src/xds/resources.ts";
import { proxyAt } from "../ir-case.ts";
import type { Dice } from "./dice.ts";
import { HEADERS, PATHS, VALUES } from "./random-tables.ts";

type RouteConfiguration = Messages["envoy.config.route.v3.RouteConfiguration"];

const SERVICES = ["echo", "front", "store"];
/** Hosts that VirtualServices name; authorities that requests have are near them. */
const HOSTS = ["echo", "front.shop", "store.shop.svc.cluster.local", "*.a.test", "b.a.test", "*.test"];
const AUTHORITIES = [
  "echo",
  "echo.shop",
  "echo.shop.svc.cluster.local",
  "front",
  "front:80",
  "store.shop.svc",
  "10.96.0.1",
  "a.test",
  "b.a.test",
  "c.a.test:8080",
  "z.test",
  "ECHO.shop",
  "nowhere.example",
];
const REGEXES = ["/a.*", "/[a-z]+", "/.*/b", "o[a-z]+"];

/** The route table of port 80 that our generator makes of a random mesh, and the clusters it names. */
export function generatedTable(roll: Dice): {
  readonly table: RouteConfiguration;
  readonly clusters: readonly string[];
} {
  const mesh = createMesh(createFixedWorld([...SERVICES.map(service), ...SERVICES.map(subsets), ...rules(roll)]));
  const config = mesh.proxyConfig(proxyAt("sidecar~10.0.0.9~web-1.shop~shop.svc.cluster.local"));
  const resources = resourcesFor(config, generatedOptions(mesh.model.meshConfig()));
  const made = resources.resource("route", "80") as RouteConfiguration | undefined;
  if (made === undefined) throw new Error("no table for port 80");
  const { "@type": _, ...table } = made as RouteConfiguration & { readonly "@type"?: string };
  const told = [
    { header: { key: "seen-route", value: "%ROUTE_NAME%" } },
    { header: { key: "seen-cluster", value: "%UPSTREAM_CLUSTER%" } },
  ];
  const clusters = resources.names("cluster").map(({ name }) => name);
  return { table: { ...table, response_headers_to_add: told }, clusters };
}

/** A request over the vocabulary of the meshes. */
export function nearbyRequest(roll: Dice): SimulatedRequest {
  const headers = HEADERS.filter(() => roll.chance(0.5)).map((name) => [name, roll.pick(VALUES)] as const);
  const query = roll.pick(["", "", "?v=one", "?v=onetwo&w=two", "?w=12"]);
  return {
    method: roll.pick(["GET", "GET", "POST"]),
    scheme: "http",
    authority: roll.pick(AUTHORITIES),
    path: roll.pick([...PATHS, "/a/b/c", "/nowhere", "/API"]) + query,
    headers,
  };
}

function object(type: string, name: string, spec: object): KubeObject {
  const [apiVersion = "", kind = ""] = type.split(" ");
  return { apiVersion, kind, metadata: { name, namespace: "shop" }, spec };
}

function service(name: string, index: number): KubeObject {
  const ports = [{ name: "http", port: 80, targetPort: 8080 }];
  return object("v1 Service", name, { clusterIP: `10.96.0.${index + 1}`, selector: { app: name }, ports });
}

function subsets(host: string): KubeObject {
  const labelled = ["v1", "v2"].map((name) => ({ name, labels: { version: name } }));
  return object("networking.istio.io/v1 DestinationRule", host, { host, subsets: labelled });
}

/** One to three VirtualServices; hosts may stand in several, of which the oldest counts. */
function rules(roll: Dice): readonly KubeObject[] {
  return Array.from({ length: 1 + roll.int(3) }, (_, index) => {
    const made = object("networking.istio.io/v1 VirtualService", `rule${index}`, {
      hosts: roll.some(HOSTS, 3),
      http: Array.from({ length: 1 + roll.int(5) }, (__, at) => httpRule(roll, `r${index}-${at}`)),
    });
    return { ...made, metadata: { ...made.metadata, creationTimestamp: `2026-01-0${index + 1}T00:00:00Z` } };
  });
}

function httpRule(roll: Dice, name: string): object {
  const match = roll.chance(0.8) ? { match: Array.from({ length: 1 + roll.int(2) }, () => matchEntry(roll)) } : {};
  const kind = roll.int(10);
  if (kind === 0) return { name, ...match, redirect: redirect(roll) };
  if (kind === 1)
    return { name, ...match, directResponse: { status: roll.pick([200, 404, 503]), body: { string: name } } };
  const rewrite = roll.chance(0.3) ? { rewrite: rewriting(roll) } : {};
  return { name, ...match, ...rewrite, ...headerChanges(roll, 0.3), route: destinations(roll) };
}

function redirect(roll: Dice): object {
  return {
    ...(roll.chance(0.6) ? { uri: "/new" } : {}),
    ...(roll.chance(0.6) ? { authority: "moved.test" } : {}),
    ...(roll.chance(0.3) ? { scheme: "https" } : {}),
    ...(roll.chance(0.4) ? { redirectCode: roll.pick([302, 307, 308]) } : {}),
  };
}

function rewriting(roll: Dice): object {
  if (roll.chance(0.3)) return { uriRegexRewrite: { match: "^/([a-z]+)", rewrite: "/re/\\1" } };
  return { ...(roll.chance(0.8) ? { uri: "/re" } : {}), ...(roll.chance(0.5) ? { authority: "other.test" } : {}) };
}

/** Of several destinations each has a cluster of its own: the answer tells them apart by it. */
function destinations(roll: Dice): readonly object[] {
  const to = (subset: string): object => ({
    destination: { host: roll.pick(SERVICES), ...(subset === "" ? {} : { subset }) },
  });
  if (roll.chance(0.6)) return [{ ...to(roll.pick(["", "v1", "v2"])), ...headerChanges(roll, 0.2) }];
  return [
    { ...to("v1"), weight: 70, ...headerChanges(roll, 0.2) },
    { ...to("v2"), weight: 30, ...headerChanges(roll, 0.2) },
  ];
}

function headerChanges(roll: Dice, share: number): object {
  if (!roll.chance(share)) return {};
  const name = (): string => roll.pick(HEADERS);
  return { headers: { request: { set: { [name()]: "set" }, add: { [name()]: "added" }, remove: [name()] } } };
}

function matchEntry(roll: Dice): object {
  return {
    ...(roll.chance(0.7) ? { uri: condition(roll, PATHS), ...(roll.chance(0.2) ? { ignoreUriCase: true } : {}) } : {}),
    ...(roll.chance(0.4) ? { headers: { [roll.pick(HEADERS)]: condition(roll, VALUES) } } : {}),
    ...(roll.chance(0.2) ? { withoutHeaders: { [roll.pick(HEADERS)]: condition(roll, VALUES) } } : {}),
    ...(roll.chance(0.2) ? { queryParams: { v: condition(roll, ["one", "onetwo"]) } } : {}),
    ...(roll.chance(0.2) ? { method: { exact: roll.pick(["GET", "POST"]) } } : {}),
    ...(roll.chance(0.1) ? { authority: { prefix: "echo" } } : {}),
  };
}

function condition(roll: Dice, values: readonly string[]): object {
  const value = roll.pick(values);
  return roll.pick([{ exact: value }, { prefix: value }, { regex: roll.pick(REGEXES) }]);
}
