import type { FieldPath } from "../diagnostics/finding.ts";
import { KIND_NAMES, type KindRecord, KINDS } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { YamlChange } from "../resources/yaml-change.ts";

/** A change of one place of an object. */
export type FixEdit = { readonly path: FieldPath } & YamlChange;

/** A condition with one right answer. */
export interface Fix {
  /** kebab-case, for messages. */
  readonly name: string;
  /** What it does, as a sentence in present tense. */
  readonly summary: string;
  /**
   * The edits of the next repair, one after the other; none when there is nothing to do. Asked again of what they made, until
   * there is none: a repair that leaves its own condition true would never end.
   */
  readonly next: (object: KubeObject) => readonly FixEdit[];
}

/** Every repair that needs no decision, in the order in which they are tried. */
export const fixes: readonly Fix[] = [
  {
    name: "api-version",
    summary: "Gives objects of the mesh a group and version that are served.",
    next: (object) => {
      const known = meshKind(object);
      const [group = "", version = ""] = object.apiVersion.split("/");
      if (known === undefined || (group === known.group && known.versions.includes(version))) return [];
      const value = `${known.group}/${known.versions.includes(version) ? version : known.versions[0]}`;
      return [{ path: ["apiVersion"], type: "set", value }];
    },
  },
  {
    name: "injection-label",
    summary: "Writes injection labels as the webhook reads them: enabled, disabled, true and false.",
    next: (object) => [
      ...(object.kind === "Namespace"
        ? replaced(object, ["metadata", "labels", "istio-injection"], injectionWord)
        : []),
      ...TEMPLATES.flatMap((template) =>
        replaced(object, [...template, "metadata", "labels", "sidecar.istio.io/inject"], booleanWord),
      ),
    ],
  },
  {
    name: "target-refs",
    summary: "Turns targetRef into the list targetRefs.",
    next: (object) => {
      const value = at(object, ["spec", "targetRef"]);
      const isOurs = meshKind(object) !== undefined && isRecord(value);
      if (!isOurs || at(object, ["spec", "targetRefs"]) !== undefined) return [];
      return [
        { path: ["spec", "targetRef"], type: "set", value: [value] },
        { path: ["spec", "targetRef"], type: "rename", name: "targetRefs" },
      ];
    },
  },
  {
    name: "single-weight",
    summary: "Takes the weight from a destination that is the only one of its route.",
    next: (object) =>
      first(routesOf(object), (path, route) => {
        const destinations = route["route"];
        if (!Array.isArray(destinations) || destinations.length !== 1) return [];
        const weight = at(destinations[0], ["weight"]);
        if (typeof weight !== "number" || weight === 0) return [];
        return [{ path: [...path, "route", 0, "weight"], type: "delete" }];
      }),
  },
  {
    name: "percentages",
    summary: "Writes deprecated whole percents as percentage values.",
    next: (object) =>
      first(routesOf(object), (path, route) => [
        ...moved(route, path, ["mirrorPercent"], "mirrorPercentage"),
        ...moved(route, path, ["mirror_percent"], "mirrorPercentage"),
        ...moved(route, path, ["fault", "delay", "percent"], "percentage"),
      ]),
  },
  {
    name: "allow-origins",
    summary: "Turns allowOrigin of a CORS policy into allowOrigins with exact matches.",
    next: (object) =>
      first(routesOf(object), (path, route) => {
        const old = at(route, ["corsPolicy", "allowOrigin"]);
        const isPlain = Array.isArray(old) && old.every((origin) => typeof origin === "string" && origin !== "*");
        if (!isPlain || at(route, ["corsPolicy", "allowOrigins"]) !== undefined) return [];
        const field = [...path, "corsPolicy", "allowOrigin"];
        const value = old.map((exact: unknown) => ({ exact }));
        return [
          { path: field, type: "set", value },
          { path: field, type: "rename", name: "allowOrigins" },
        ];
      }),
  },
  {
    name: "warmup",
    summary: "Turns warmupDurationSecs into warmup.",
    next: (object) =>
      object.kind !== "DestinationRule"
        ? []
        : first(loadBalancersOf(object), (path, balancer) => {
            const duration = balancer["warmupDurationSecs"];
            if (typeof duration !== "string" || balancer["warmup"] !== undefined) return [];
            return [
              { path: [...path, "warmupDurationSecs"], type: "set", value: { duration } },
              { path: [...path, "warmupDurationSecs"], type: "rename", name: "warmup" },
            ];
          }),
  },
  {
    name: "duplicates",
    summary: "Takes out entries that a list of names holds twice.",
    next: (object) => (meshKind(object) === undefined ? [] : duplicateOf(object)),
  },
];

/** The record of an object of the mesh, also of one whose group or version is wrong. */
function meshKind({ apiVersion, kind }: KubeObject): KindRecord | undefined {
  if (!isMeshGroup(apiVersion.split("/")[0] ?? "")) return undefined;
  const name = KIND_NAMES.find((each) => KINDS[each].kind === kind && isMeshGroup(KINDS[each].group));
  return name === undefined ? undefined : KINDS[name];
}

function isMeshGroup(group: string): boolean {
  return group.endsWith(".istio.io");
}

type Members = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function at(value: unknown, path: FieldPath): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string | number, unknown>)[step];
  }
  return current;
}

type Part = readonly [path: FieldPath, value: Members];

function first(
  parts: readonly Part[],
  edits: (path: FieldPath, part: Members) => readonly FixEdit[],
): readonly FixEdit[] {
  for (const [path, part] of parts) {
    const found = edits(path, part);
    if (found.length > 0) return found;
  }
  return [];
}

function routesOf(object: KubeObject): readonly Part[] {
  if (object.kind !== "VirtualService") return [];
  return ["http", "tls", "tcp"].flatMap((protocol) => itemsOf(object, ["spec", protocol]));
}

function loadBalancersOf(object: KubeObject): readonly Part[] {
  const policies = [
    ["spec", "trafficPolicy"],
    ...itemsOf(object, ["spec", "subsets"]).map(([path]) => [...path, "trafficPolicy"]),
  ];
  const all = policies.flatMap((policy) => [
    policy,
    ...itemsOf(object, [...policy, "portLevelSettings"]).map(([path]) => path),
  ]);
  return all.flatMap((path): readonly Part[] => {
    const value = at(object, [...path, "loadBalancer"]);
    return isRecord(value) ? [[[...path, "loadBalancer"], value]] : [];
  });
}

function itemsOf(object: KubeObject, path: FieldPath): readonly Part[] {
  const list = at(object, path);
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index): readonly Part[] => (isRecord(item) ? [[[...path, index], item]] : []));
}

/** A whole percent under a new name; nothing when the new field is there too: which one is meant is a decision. */
function moved(part: Members, base: FieldPath, path: FieldPath, name: string): readonly FixEdit[] {
  const value = at(part, path);
  const beside = at(part, [...path.slice(0, -1), name]);
  if (typeof value !== "number" || beside !== undefined) return [];
  return [
    { path: [...base, ...path], type: "set", value: { value } },
    { path: [...base, ...path], type: "rename", name },
  ];
}

/** Where a pod, or a template of one, begins in an object. */
const TEMPLATES: readonly FieldPath[] = [[], ["spec", "template"], ["spec", "jobTemplate", "spec", "template"]];

function replaced(
  object: KubeObject,
  path: FieldPath,
  right: (value: unknown) => string | undefined,
): readonly FixEdit[] {
  const value = at(object, path);
  const wanted = value === undefined ? undefined : right(value);
  return wanted === undefined || wanted === value ? [] : [{ path, type: "set", value: wanted }];
}

function injectionWord(value: unknown): string | undefined {
  const word = booleanWord(value);
  const text = String(value).toLowerCase();
  if (word === "true" || text === "enabled" || text === "enable") return "enabled";
  return word === "false" || text === "disabled" || text === "disable" ? "disabled" : undefined;
}

function booleanWord(value: unknown): "true" | "false" | undefined {
  const text = String(value).toLowerCase();
  if (["true", "yes", "on"].includes(text)) return "true";
  return ["false", "no", "off"].includes(text) ? "false" : undefined;
}

/** Lists that are sets of names. */
const NAME_LISTS: readonly string[] = ["hosts", "gateways", "exportTo", "addresses", "subjectAltNames"];

function duplicateOf(object: KubeObject): readonly FixEdit[] {
  const places = [["spec"], ...itemsOf(object, ["spec", "servers"]).map(([path]) => path)];
  for (const place of places)
    for (const field of NAME_LISTS) {
      const list = at(object, [...place, field]);
      if (!Array.isArray(list)) continue;
      const index = list.findLastIndex((item: unknown, own) => typeof item === "string" && list.indexOf(item) < own);
      if (index >= 0) return [{ path: [...place, field, index], type: "delete" }];
    }
  return [];
}
