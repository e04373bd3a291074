import { type Segments, valueAt, withValueAt } from "../base/field-path.ts";
import { merge } from "../base/merge.ts";

/** Settings of pods that Istio's values have under older names. */
const POD_SETTINGS = [
  "affinity",
  "env",
  "nodeSelector",
  "podAnnotations",
  "replicaCount",
  "resources",
  "serviceAnnotations",
  "tolerations",
];

const SERVICE_SETTINGS = [
  "externalTrafficPolicy",
  "ipFamilies",
  "ipFamilyPolicy",
  "loadBalancerIP",
  "loadBalancerSourceRanges",
  "ports",
  "type",
];

/** Settings that have two names in Istio: the values path, and where the setting lives here. The second wins when both are set. */
const ALIASES: readonly (readonly [from: Segments, to: Segments])[] = [
  [["values", "meshConfig"], ["meshConfig"]],
  [["values", "revision"], ["revision"]],
  [["values", "global", "revision"], ["revision"]],
  [["values", "global", "istioNamespace"], ["namespace"]],
  [
    ["values", "pilot", "traceSampling"],
    ["meshConfig", "defaultConfig", "tracing", "sampling"],
  ],
  ...[...POD_SETTINGS, "volumes", "volumeMounts"].map((name) => pilotAlias(name, ["k8s", name])),
  ...["enabled", "hub", "tag"].map((name) => pilotAlias(name, [name])),
];

function pilotAlias(name: string, to: Segments): readonly [Segments, Segments] {
  return [
    ["values", "pilot", name],
    ["components", "pilot", ...to],
  ];
}

/** Lists of gateways in `components`, and the gateway of `values` that stands for the one of that name. */
const GATEWAYS = [
  ["ingressGateways", "istio-ingressgateway"],
  ["egressGateways", "istio-egressgateway"],
] as const;

const GATEWAY_ALIASES: readonly (readonly [from: string, to: Segments])[] = [
  ["enabled", ["enabled"]],
  ["labels", ["label"]],
  ...POD_SETTINGS.map((name) => [name, ["k8s", name]] as const),
  ...SERVICE_SETTINGS.map((name) => [name, ["k8s", "service", name]] as const),
];

type Data = Readonly<Record<string, unknown>>;

/** Settings with everything under its one name here; `env` as a map from name to value. */
export function withOneName(data: Data): Data {
  const { from, to } = takeApart(data);
  return withEnvMaps(merge(to, from) as Data);
}

/** Whether a values path is another name of a setting. */
export function isAlias(path: Segments): boolean {
  const starts = (from: Segments): boolean => from.every((step, index) => path[index] === step);
  const gateways = GATEWAYS.flatMap(([, name]) =>
    GATEWAY_ALIASES.map(([member]): Segments => ["values", "gateways", name, member]),
  );
  return [...ALIASES.map(([from]) => from), ...gateways].some(starts);
}

/** `to`: what was set by an alias, at its place; `from`: everything else. */
function takeApart(data: Data): { readonly from: unknown; readonly to: unknown } {
  let from: unknown = data;
  let to: unknown = {};
  for (const [alias, place] of ALIASES) {
    const value = valueAt(from, alias);
    if (value === undefined) continue;
    from = without(from, alias);
    to = withValueAt(to, place, value);
  }
  for (const [list, name] of GATEWAYS) {
    let gateway: unknown;
    for (const [member, place] of GATEWAY_ALIASES) {
      const alias = ["values", "gateways", name, member];
      const value = valueAt(from, alias);
      if (value === undefined) continue;
      from = without(from, alias);
      gateway = withValueAt(gateway ?? { name }, place, value);
    }
    if (gateway === undefined) continue;
    const items = valueAt(from, ["components", list]);
    from = withValueAt(
      from,
      ["components", list],
      merge([gateway], items ?? [], () => "name"),
    );
  }
  return { from, to };
}

/** Data without the value at a path; what is empty then goes too, the rest keeps its order. */
function without(data: unknown, path: Segments): unknown {
  const [first, ...rest] = path;
  if (first === undefined || typeof data !== "object" || data === null) return data;
  const isEmpty = (value: unknown): boolean =>
    typeof value === "object" && value !== null && Object.keys(value).length === 0;
  const entries = Object.entries(data).flatMap(([key, value]) => {
    if (key !== String(first)) return [[key, value as unknown] as const];
    const left = rest.length === 0 ? undefined : without(value, rest);
    return left === undefined || isEmpty(left) ? [] : [[key, left] as const];
  });
  return Object.fromEntries(entries);
}

/** Kubernetes writes environments as lists; by name they can be merged. */
function withEnvMaps(data: Data): Data {
  const components = data["components"];
  if (typeof components !== "object" || components === null) return data;
  const mapped = Object.entries(components).map(([name, part]) => [
    name,
    Array.isArray(part) ? part.map(withEnvMap) : withEnvMap(part),
  ]);
  return { ...data, components: Object.fromEntries(mapped) as unknown };
}

function withEnvMap(component: unknown): unknown {
  const env = valueAt(component, ["k8s", "env"]);
  if (!Array.isArray(env)) return component;
  const entries = (
    env as readonly {
      readonly name: string;
      readonly value?: string | number | boolean;
      readonly valueFrom?: unknown;
    }[]
  ).map(({ name, value, valueFrom }) => [name, valueFrom === undefined ? String(value ?? "") : { valueFrom }] as const);
  return withValueAt(component, ["k8s", "env"], Object.fromEntries(entries));
}
