import { createHash } from "node:crypto";
import type { MeshService } from "../ir/service.ts";
import type { KindTypes } from "../resources/kinds.ts";
import type { ModelContext } from "./context.ts";
import { resolveHost } from "./host.ts";
import { byAge } from "./order.ts";

type ServiceEntry = KindTypes["ServiceEntry"];

/** Addresses of hosts that have none of their own, so that connections to them can be told apart. */
export interface AutoAddresses {
  /** One IPv4 and one IPv6 address for a ServiceEntry's host; empty when the host has addresses, or gets none. */
  of(service: MeshService): readonly string[];
}

/** Label of a ServiceEntry: "false" opts out. */
const OPT_OUT_LABEL = "networking.istio.io/enable-autoallocate-ip";
/** Resolutions that lead somewhere, whatever address the client dialled. */
const RESOLVED: readonly (string | undefined)[] = ["STATIC", "DNS", "DNS_ROUND_ROBIN"];
/** 240.240.0.0/16 without the last numbers 0 and 255. */
const LAST_NUMBERS = 254;
const SLOTS = 256 * LAST_NUMBERS;

/**
 * Who gets one, as in Istio: hosts of ServiceEntries without addresses, that are no wildcards and are resolved by more than
 * the client's own address. What `status.addresses` says counts first. Otherwise the address follows from namespace and host,
 * so every instance of the control plane, and a restarted one, gives the same; of two that meet, the older keeps the place and
 * the younger takes the next one.
 */
export function createAutoAddresses({ world, derivations, domain }: ModelContext): AutoAddresses {
  const allocated = derivations.keyed("auto addresses", (): Readonly<Record<string, readonly string[]>> => {
    const entries = world.list("ServiceEntry").toSorted(byAge);
    const taken = new Set(
      entries.flatMap((entry) => [...(entry.spec?.addresses ?? []), ...given(entry).values()].flat()),
    );
    const out: Record<string, readonly string[]> = {};
    for (const entry of entries) {
      if (!isEligible(entry)) continue;
      const namespace = entry.metadata.namespace ?? "";
      const fromStatus = given(entry);
      for (const host of entry.spec?.hosts ?? []) {
        if (host.startsWith("*")) continue;
        const key = keyOf(namespace, resolveHost(host, namespace, domain));
        out[key] ??= fromStatus.get(host) ?? freeAddresses(key, taken);
      }
    }
    return out;
  });
  return {
    of: ({ from, namespace, hostname, addresses }) =>
      from.kind === "ServiceEntry" && addresses.length === 0 ? (allocated()[keyOf(namespace, hostname)] ?? []) : [],
  };
}

function keyOf(namespace: string, host: string): string {
  return `${namespace}/${host}`;
}

function isEligible({ metadata, spec }: ServiceEntry): boolean {
  if (metadata.labels?.[OPT_OUT_LABEL]?.toLowerCase() === "false") return false;
  return (spec?.addresses ?? []).length === 0 && RESOLVED.includes(spec?.resolution);
}

/** Addresses by host that a controller wrote into the status. */
function given({ status }: ServiceEntry): ReadonlyMap<string, readonly string[]> {
  const items = (status as { readonly addresses?: unknown } | undefined)?.addresses;
  const out = new Map<string, string[]>();
  for (const item of Array.isArray(items) ? (items as unknown[]) : []) {
    const { host, value } = (item ?? {}) as { readonly host?: unknown; readonly value?: unknown };
    if (typeof host !== "string" || typeof value !== "string") continue;
    out.set(host, [...(out.get(host) ?? []), value]);
  }
  return out;
}

/** The first free pair from the place that the key names; none when all are taken. */
function freeAddresses(key: string, taken: Set<string>): readonly string[] {
  const start = createHash("sha256").update(key).digest().readUInt32BE(0) % SLOTS;
  for (let step = 0; step < SLOTS; step += 1) {
    const slot = (start + step) % SLOTS;
    const [third, fourth] = [Math.floor(slot / LAST_NUMBERS), (slot % LAST_NUMBERS) + 1];
    const pair = [`240.240.${third}.${fourth}`, `2001:2::f0f0:${((third << 8) | fourth).toString(16)}`];
    if (pair.some((address) => taken.has(address))) continue;
    for (const address of pair) taken.add(address);
    return pair;
  }
  return [];
}
