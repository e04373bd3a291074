import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ProxyConfig } from "../../src/ir/config.ts";
import { encodeAny } from "../../src/wire/codec.ts";
import { resourcesFor } from "../../src/xds/resources.ts";
import { TYPE_URLS, type XdsKind } from "../../src/xds/types.ts";
import { peer, readXdsCase, type XdsCase } from "../support/xds-case.ts";

const IN = join(import.meta.dirname, "testdata/in");
const KINDS = Object.keys(TYPE_URLS) as XdsKind[];
const cases = readdirSync(IN);

/** The bytes of everything that the scope owns, by kind and name. */
function shared(
  { config, options }: XdsCase,
  order: (names: readonly string[]) => readonly string[],
): Map<string, string> {
  const resources = resourcesFor(config, options);
  const out = new Map<string, string>();
  for (const kind of KINDS) {
    const names = resources.names(kind).filter(({ owner }) => owner === "scope");
    for (const name of order(names.map((named) => named.name))) {
      const resource = resources.resource(kind, name);
      if (resource === undefined) throw new Error(`no ${kind} ${name}`);
      out.set(`${kind} ${name}`, Buffer.from(encodeAny(resource).bytes).toString("base64"));
    }
  }
  return out;
}

test.each(cases)("two workloads of one scope share the bytes of what the scope owns: %s", (name) => {
  const one = readXdsCase(join(IN, name));
  const another: ProxyConfig = {
    ...one.config,
    workload: "another",
    proxy: {
      ...one.config.proxy,
      id: "sidecar~10.244.0.99~other-1.shop~shop.svc.cluster.local",
      name: "other-1",
      addresses: ["10.244.0.99"],
      labels: { app: "other" },
      serviceAccount: "other",
      peer: peer({ workload: "other", ns: "shop", app: "other" }),
    },
  };
  const same = (names: readonly string[]): readonly string[] => names;
  expect(shared({ ...one, config: another }, same)).toEqual(shared(one, same));
});

test("bytes depend neither on the run nor on the order of asking", () => {
  fc.assert(
    fc.property(fc.constantFrom(...cases), fc.infiniteStream(fc.nat()), (name, random) => {
      const one = readXdsCase(join(IN, name));
      const mixed = (names: readonly string[]): readonly string[] =>
        names.toSorted(() => ((random.next().value as number) % 2 === 0 ? 1 : -1));
      const first = shared(one, (names) => names);
      const second = shared(readXdsCase(join(IN, name)), mixed);
      expect(second).toEqual(first);
    }),
    { numRuns: 20 },
  );
});

test("a name that the proxy does not have is no resource", () => {
  const { config, options } = readXdsCase(join(IN, "http-outbound.yaml"));
  for (const kind of KINDS) {
    if (kind !== "endpoint") expect(resourcesFor(config, options).resource(kind, "nobody")).toBeUndefined();
  }
});
