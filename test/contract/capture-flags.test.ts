import { expect, test } from "vitest";
import { captureArgs } from "../../src/agent/iptables-args.ts";
import { readFlags } from "../../src/agent/iptables-flags.ts";
import type { InjectContext, PodLike } from "../../src/inject/config.ts";
import { inject } from "../../src/inject/inject.ts";
import { injectionContext } from "../support/injection.ts";
import {
  ANNOTATED_POD,
  annotationCases,
  annotationContext,
  injectionForms,
  withNote,
} from "../support/injection-cases.ts";

// What the templates tell istio-iptables is what mesh-agent reads: a flag that it does not know would keep every pod from starting.

interface Told {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Arguments and environment of the container that captures or validates; undefined when the pod has none. */
function told(pod: PodLike, context: InjectContext): Told | undefined {
  const found = inject(pod, context).pod.spec.initContainers?.find(({ name }) =>
    ["istio-init", "istio-validation"].includes(name),
  );
  if (found === undefined) return undefined;
  const [command, ...args] = (found["args"] ?? []) as readonly string[];
  expect(command).toBe("istio-iptables");
  return { args, env: Object.fromEntries((found.env ?? []).map(({ name, value = "" }) => [name, value])) };
}

const read = ({ args, env }: Told) => captureArgs(readFlags(args, env));

const VALUES = [
  "values.global.logAsJson=true",
  "values.global.proxy_init.forceApplyIptables=true",
  "values.global.nativeNftables=true",
  "values.global.proxy.includeIPRanges=10.0.0.0/8,fd00::/8",
  "values.global.proxy.excludeIPRanges=10.1.0.0/16",
  "values.global.proxy.includeInboundPorts=",
  "values.global.proxy.includeOutboundPorts=443",
  "values.global.proxy.interceptionMode=TPROXY",
  "values.global.proxy.privileged=true",
  "meshConfig.defaultConfig.proxyMetadata.ISTIO_META_DNS_CAPTURE=true",
];

test("every flag and variable that injection passes is one that the agent reads, whatever the annotation, form or value", () => {
  const forms = injectionForms.map(([, values, more]) => told(ANNOTATED_POD, injectionContext(values, more)));
  const annotated = annotationCases.map(([kind, name, value]) => told(withNote(kind, name, value), annotationContext));
  const valued = [[], ["values.pilot.cni.enabled=true"]].flatMap((base) =>
    VALUES.map((value) => told(ANNOTATED_POD, injectionContext([...base, value]))),
  );
  const all = [...forms, ...annotated, ...valued].filter((each) => each !== undefined);
  expect(all.length).toBeGreaterThan(50);
  for (const each of all) expect(() => read(each), each.args.join(" ")).not.toThrow();
  expect(() => read({ args: ["--not-there"], env: {} })).toThrow("not-there");
});

test("what the annotations ask for arrives; with a CNI plugin nothing is written and the rules are proven", () => {
  const pod = Object.entries({
    includeOutboundIPRanges: "10.0.0.0/8",
    excludeOutboundIPRanges: "10.1.0.0/16",
    includeInboundPorts: "8080",
    excludeInboundPorts: "9999",
    includeOutboundPorts: "443",
    excludeOutboundPorts: "3306",
    excludeInterfaces: "eth1",
    kubevirtInterfaces: "k0",
  }).reduce(
    (noted, [name, value]) => withNote("annotations", `traffic.sidecar.istio.io/${name}`, value, noted),
    ANNOTATED_POD,
  );
  const classic = read(told(pod, injectionContext()) as Told);
  expect(classic).toMatchObject({
    mode: "REDIRECT",
    inboundPorts: [8080],
    inboundPortsExclude: [15090, 15021, 15020, 9999],
    outboundPorts: [443],
    outboundPortsExclude: [3306],
    outboundRanges: ["10.0.0.0/8"],
    outboundRangesExclude: ["10.1.0.0/16"],
    excludeInterfaces: ["eth1"],
    virtualInterfaces: ["k0"],
    proxyUids: ["1337"],
  });
  const validation = told(pod, injectionContext(["values.pilot.cni.enabled=true"])) as Told;
  expect(readFlags(validation.args, {})).toMatchObject({ "run-validation": "true", "skip-rule-apply": "true" });
  expect(read(validation)).toEqual(classic);
});
