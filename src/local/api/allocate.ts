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

export function createAllocator(store: Store, cidr: string): Allocator {
  const range = ipaddr.IPv4.parseCIDR(cidr);
  const usable = addresses(cidr);
  const apiAddress = String(usable.next().value);
  const services = (except: Obj): Obj[] =>
    store.list("/services").filter((service) => service.metadata.uid !== except.metadata.uid);

  function assignAddress(service: Obj, spec: JsonObject): Cause[] {
    const wanted = asString(spec["clusterIP"] ?? asStrings(spec["clusterIPs"])[0]);
    const taken = new Set(services(service).map((other) => asString(asObject(other.spec)["clusterIP"])));
    if (wanted === "None") {
      Object.assign(spec, { clusterIP: "None", clusterIPs: ["None"] });
      return [];
    }
    if (wanted !== "") {
      const inRange = ipaddr.IPv4.isValidFourPartDecimal(wanted) && ipaddr.IPv4.parse(wanted).match(range);
      if (!inRange)
        return [
          invalidValue(
            "spec.clusterIPs",
            [wanted],
            `failed to allocate IP ${wanted}: the provided IP is not in the valid range ${cidr}`,
          ),
        ];
      if (taken.has(wanted))
        return [
          invalidValue(
            "spec.clusterIPs",
            [wanted],
            `failed to allocate IP ${wanted}: provided IP is already allocated`,
          ),
        ];
      Object.assign(spec, { clusterIP: wanted, clusterIPs: [wanted] });
      return [];
    }
    const isApi = service.metadata.namespace === "default" && service.metadata.name === "kubernetes";
    for (const address of addresses(cidr)) {
      if (taken.has(address) || (address === apiAddress && !isApi)) continue;
      Object.assign(spec, { clusterIP: address, clusterIPs: [address] });
      return [];
    }
    return [invalidValue("spec.clusterIP", "", `no addresses are left in ${cidr}`)];
  }

  function assignNodePorts(service: Obj, spec: JsonObject): Cause[] {
    const others = services(service).flatMap((other) => asObjects(asObject(other.spec)["ports"]));
    const taken = new Set(others.map((port) => port["nodePort"]));
    const causes: Cause[] = [];
    asObjects(spec["ports"]).forEach((port, index) => {
      const wanted = port["nodePort"];
      if (typeof wanted === "number" && wanted !== 0) {
        if (taken.has(wanted))
          causes.push(invalidValue(`spec.ports[${index}].nodePort`, wanted, "provided port is already allocated"));
        taken.add(wanted);
        return;
      }
      let free = nodePorts.first;
      while (taken.has(free) && free <= nodePorts.last) free++;
      port["nodePort"] = free;
      taken.add(free);
    });
    return causes;
  }

  return {
    apiAddress,
    assign(service, before) {
      const spec = service.spec;
      if (spec === undefined) return [];
      const type = spec["type"];
      if (type === "ExternalName") {
        for (const key of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]) delete spec[key];
        return [];
      }
      const old = asObject(before?.spec);
      if (old["clusterIP"] !== undefined && old["type"] !== "ExternalName") {
        spec["clusterIP"] ??= old["clusterIP"];
        spec["clusterIPs"] ??= [spec["clusterIP"]];
        if (spec["clusterIP"] === "")
          Object.assign(spec, { clusterIP: old["clusterIP"], clusterIPs: old["clusterIPs"] });
      }
      const causes = assignAddress(service, spec);
      spec["ipFamilies"] ??= ["IPv4"];
      spec["ipFamilyPolicy"] ??= "SingleStack";
      const wantsPorts =
        type === "NodePort" || (type === "LoadBalancer" && spec["allocateLoadBalancerNodePorts"] !== false);
      return wantsPorts ? [...causes, ...assignNodePorts(service, spec)] : causes;
    },
  };
}
