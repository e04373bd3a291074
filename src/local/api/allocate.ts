import ipaddr from "ipaddr.js";
import type { JsonObject, Obj } from "./json.ts";
import { asObject, asObjects, asString, asStrings } from "./json.ts";
import type { Store } from "./store.ts";
import type { Cause } from "./status.ts";
import { invalidValue } from "./validate.ts";

const nodePorts = { first: 30_000, last: 32_767 };

/** Hands out cluster IPs and node ports. What is taken is read from the stored Services, so nothing has to be given back. */
export interface Allocator {
  /** Fills in `clusterIP(s)` and node ports of a Service; returns what is wrong with those it asks for. */
  assign(service: Obj, before: Obj | undefined): Cause[];
  /** The address of the Service `default/kubernetes`. */
  readonly apiAddress: string;
}

/** Addresses of the range whose third octet is at least 1: loopback workloads map `S.s` into 127.w.S.s, and 127.w.0.x is the pod. */
function* addresses(cidr: string): Generator<string> {
  const [network, bits] = ipaddr.IPv4.parseCIDR(cidr);
  const octets = network.toByteArray();
  const start = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  for (let offset = 257; offset < 2 ** (32 - bits); offset++) {
    const last = offset % 256;
    if (last === 0 || last === 255) continue;
    const value = start + offset;
    yield [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
  }
}

interface Pool {
  readonly store: Store;
  readonly cidr: string;
  readonly apiAddress: string;
}

function others({ store }: Pool, service: Obj): JsonObject[] {
  return store
    .list("/services")
    .filter((other) => other.metadata.uid !== service.metadata.uid)
    .map((other) => asObject(other.spec));
}

/** The address asked for, when it is free and in the range. */
function checkAddress(pool: Pool, wanted: string, taken: ReadonlySet<string>): Cause[] {
  const range = ipaddr.IPv4.parseCIDR(pool.cidr);
  const inRange = ipaddr.IPv4.isValidFourPartDecimal(wanted) && ipaddr.IPv4.parse(wanted).match(range);
  const refuse = (why: string): Cause[] => [
    invalidValue("spec.clusterIPs", [wanted], `failed to allocate IP ${wanted}: ${why}`),
  ];
  if (!inRange) return refuse(`the provided IP is not in the valid range ${pool.cidr}`);
  return taken.has(wanted) ? refuse("provided IP is already allocated") : [];
}

function freeAddress(pool: Pool, service: Obj, taken: ReadonlySet<string>): string | undefined {
  const isApi = service.metadata.namespace === "default" && service.metadata.name === "kubernetes";
  for (const address of addresses(pool.cidr)) {
    if (!taken.has(address) && (isApi || address !== pool.apiAddress)) return address;
  }
  return undefined;
}

function assignAddress(pool: Pool, service: Obj, spec: JsonObject): Cause[] {
  const wanted = asString(spec["clusterIP"]) || (asStrings(spec["clusterIPs"])[0] ?? "");
  const taken = new Set(others(pool, service).map((other) => asString(other["clusterIP"])));
  const chosen = wanted === "" ? freeAddress(pool, service, taken) : wanted;
  if (chosen === undefined) return [invalidValue("spec.clusterIP", "", `no addresses are left in ${pool.cidr}`)];
  Object.assign(spec, { clusterIP: chosen, clusterIPs: [chosen] });
  return wanted === "" || wanted === "None" ? [] : checkAddress(pool, wanted, taken);
}

function assignNodePorts(pool: Pool, service: Obj, spec: JsonObject): Cause[] {
  const taken = new Set(
    others(pool, service).flatMap((other) => asObjects(other["ports"]).map((port) => port["nodePort"])),
  );
  const causes: Cause[] = [];
  asObjects(spec["ports"]).forEach((port, index) => {
    const wanted = Number(port["nodePort"] ?? 0);
    const field = `spec.ports[${index}].nodePort`;
    if (wanted !== 0 && taken.has(wanted))
      causes.push(invalidValue(field, wanted, "provided port is already allocated"));
    let chosen = wanted === 0 ? nodePorts.first : wanted;
    while (wanted === 0 && taken.has(chosen) && chosen <= nodePorts.last) chosen++;
    port["nodePort"] = chosen;
    taken.add(chosen);
  });
  return causes;
}

/** An update that names no address keeps the one the Service has. */
function keepAddress(spec: JsonObject, before: Obj | undefined): void {
  const old = asObject(before?.spec);
  if (old["clusterIP"] === undefined || old["type"] === "ExternalName") return;
  if (asString(spec["clusterIP"]) === "")
    Object.assign(spec, { clusterIP: old["clusterIP"], clusterIPs: old["clusterIPs"] });
}

export function createAllocator(store: Store, cidr: string): Allocator {
  const apiAddress = String(addresses(cidr).next().value);
  const pool: Pool = { store, cidr, apiAddress };
  return {
    apiAddress,
    assign(service, before) {
      const { spec } = service;
      if (spec === undefined) return [];
      if (spec["type"] === "ExternalName") {
        for (const key of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]) delete spec[key];
        return [];
      }
      keepAddress(spec, before);
      const causes = assignAddress(pool, service, spec);
      spec["ipFamilies"] ??= ["IPv4"];
      spec["ipFamilyPolicy"] ??= "SingleStack";
      const balanced = spec["type"] === "LoadBalancer" && spec["allocateLoadBalancerNodePorts"] !== false;
      if (spec["type"] !== "NodePort" && !balanced) return causes;
      return [...causes, ...assignNodePorts(pool, service, spec)];
    },
  };
}
