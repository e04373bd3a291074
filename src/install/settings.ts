import { UsageError } from "../base/errors.ts";
import { parsePath, pathText, type Segments, valueAt, withValueAt } from "../base/field-path.ts";
import { merge } from "../base/merge.ts";
import { nearest } from "../base/nearest.ts";
import { parseYaml } from "../resources/yaml-plain.ts";
import { schemaProblems } from "../validation/schema.ts";
import { withOneName } from "./aliases.ts";
import { settingsWithoutEffect } from "./effects.ts";
import { readProfile } from "./profiles.ts";
import { isGroupType, isTextType, schemaPlace } from "./schema-place.ts";
import { equalsAt, parseSetPath, resolveSteps } from "./set-path.ts";

/** One switchable part of the mesh in a profile. */
export interface ComponentSettings {
  readonly enabled: boolean;
  readonly name?: string;
  /** Gateways alone: where it is installed. Default: the namespace of the mesh. */
  readonly namespace?: string;
  readonly hub?: string;
  readonly tag?: string | number;
  /** Gateways alone: labels of its pods. */
  readonly label?: Readonly<Record<string, string>>;
  readonly k8s?: Readonly<Record<string, unknown>>;
}

/** A profile with everything set: shape of manifests/profiles/default.yaml. */
export interface Settings {
  readonly profile: string;
  readonly hub: string;
  readonly tag: string | number;
  /** "" is the default revision. */
  readonly revision: string;
  readonly namespace: string;
  readonly meshConfig: Readonly<Record<string, unknown>>;
  readonly components: {
    readonly base: ComponentSettings;
    readonly pilot: ComponentSettings;
    readonly ingressGateways: readonly ComponentSettings[];
    readonly egressGateways: readonly ComponentSettings[];
  };
  readonly values: {
    readonly global: Readonly<Record<string, unknown>>;
    readonly sidecarInjectorWebhook: Readonly<Record<string, unknown>>;
    readonly [key: string]: unknown;
  };
  /** Further values, not checked: they are handed to the injector. */
  readonly unvalidatedValues?: Readonly<Record<string, unknown>>;
}

/** What a user asks for: a profile, what differs from it in files, and single values; later wins. */
export interface SettingsRequest {
  readonly profile?: string | undefined;
  /** Specs of IstioOperator documents, already held to the schema (commands/overlays.ts), in order. */
  readonly overlays?: readonly Readonly<Record<string, unknown>>[];
  /** `path=value` lines, left to right. */
  readonly set?: readonly string[];
  /** Gateways are not part of it, whatever the rest says: they stay with the revision that has them. */
  readonly withoutGateways?: boolean;
}

/** The settings, and the paths a user set that are known but change nothing here. */
export interface ReadSettings {
  readonly settings: Settings;
  readonly withoutEffect: readonly string[];
}

/** The settings of a profile with `--set` lines on top; see readSettings. */
export function settingsOf(profile: string | undefined, overrides: readonly string[]): Settings {
  return readSettings({ profile, set: overrides }).settings;
}

/**
 * Lowest first: profile `default`, the profile asked for (by --set, by --profile, by the last file that names one), the files, the
 * lines. Throws UsageError for an unknown profile, a path that does not exist (with the name that was probably meant) and a value
 * that the schema refuses.
 */
export function readSettings({
  profile,
  overlays = [],
  set = [],
  withoutGateways = false,
}: SettingsRequest): ReadSettings {
  const lines = set.map(splitOverride);
  const named = overlays.findLast((overlay) => typeof overlay["profile"] === "string")?.["profile"] as
    | string
    | undefined;
  const chosen = lines.findLast(({ path }) => path === "profile")?.value ?? profile ?? named ?? "default";
  const layers = [readProfile("default"), ...(chosen === "default" ? [] : [readProfile(chosen)]), ...overlays];
  const base = layers.map(withOneName).reduce((data, layer) => merge(data, layer, byName) as typeof data);
  const asked: unknown[] = [...overlays];
  const places: Place[] = [];
  let data: unknown = { ...base, profile: chosen };
  for (const { path, value } of lines.filter((line) => line.path !== "profile")) {
    const { segments, value: typed } = readOverride(path, value, data);
    asked.push(withValueAt({}, segments, typed));
    data = withNames(withOverride(data, segments, typed), path, segments);
    places.push({ path, segments });
  }
  if (places.length > 0) refuse(data, places);
  const withoutEffect = [...new Set(asked.flatMap(settingsWithoutEffect))];
  return { settings: withGateways(data as Settings, withoutGateways), withoutEffect };
}

function withGateways(settings: Settings, areOff: boolean): Settings {
  const whole = withWholeGateways(settings);
  return areOff ? withGatewaysOff(whole) : whole;
}

function withGatewaysOff(settings: Settings): Settings {
  const { ingressGateways, egressGateways } = settings.components;
  const off = (list: readonly ComponentSettings[]): readonly ComponentSettings[] =>
    list.map((gateway) => ({ ...gateway, enabled: false }));
  const components = {
    ...settings.components,
    ingressGateways: off(ingressGateways),
    egressGateways: off(egressGateways),
  };
  return { ...settings, components };
}

/** A gateway that no profile has starts from the first of the default ones; it is on unless it says otherwise. */
function withWholeGateways(settings: Settings): Settings {
  const defaults = (readProfile("default") as unknown as Settings).components;
  const whole = (list: "ingressGateways" | "egressGateways"): readonly ComponentSettings[] =>
    settings.components[list].map((gateway, index) => {
      const known = defaults[list].some(({ name }) => name === gateway.name);
      const start = {
        ...defaults[list][0],
        enabled: true,
        name: `${list === "ingressGateways" ? "in" : "e"}gress-${index}`,
      };
      return known ? gateway : (merge(start, gateway, byName) as ComponentSettings);
    });
  const components = {
    ...settings.components,
    ingressGateways: whole("ingressGateways"),
    egressGateways: whole("egressGateways"),
  };
  return { ...settings, components };
}

interface Override {
  readonly path: string;
  readonly value: string;
}

function splitOverride(line: string): Override {
  const at = equalsAt(line);
  if (at <= 0) throw new UsageError(`--set ${line}: expected path=value`);
  return { path: line.slice(0, at), value: line.slice(at + 1) };
}

/** Gateways are told apart by name when a layer changes one. */
export function byName(path: readonly string[]): string | undefined {
  return path.at(-1) === "ingressGateways" || path.at(-1) === "egressGateways" ? "name" : undefined;
}

function readOverride(path: string, text: string, data: unknown): { segments: Segments; value: unknown } {
  const steps = parseSetPath(path);
  if (steps === undefined) throw new UsageError(`--set ${path}: not a path`, "Write it as a.b[0].c=value.");
  const segments = resolveSteps(steps, data);
  const place = schemaPlace(segments);
  if ("missing" in place) throw unknownSetting(segments, place.missing + 1, place.names);
  return { segments, value: typed(text, place.type, segments) };
}

/** Items that were made by being named get the name. */
function withNames(data: unknown, path: string, segments: Segments): unknown {
  const steps = parseSetPath(path) ?? [];
  return steps.reduce<unknown>((all, step, index) => {
    if (typeof step !== "object") return all;
    const place = [...segments.slice(0, index + 1), step.key];
    return valueAt(all, place) === undefined ? withValueAt(all, place, step.value) : all;
  }, data);
}

/** Sets a value under the one name of its setting. */
function withOverride(data: unknown, segments: Segments, value: unknown): unknown {
  const single = withValueAt({}, segments, value) as Readonly<Record<string, unknown>>;
  const renamed = withOneName(single);
  // the setting lives elsewhere, or is written in another form
  if (valueAt(renamed, segments) !== value) return merge(data, renamed, byName);
  return withValueAt(data, segments, value);
}

interface Place {
  readonly path: string;
  readonly segments: Segments;
}

/** Profiles and files hold to the schema: what does not is what the lines made of them. */
function refuse(data: unknown, places: readonly Place[]): void {
  const [problem] = schemaProblems("IstioOperator", data, ROOT);
  if (problem === undefined) return;
  const isAbout = ({ segments }: Place): boolean =>
    segments.every((step, index) => index >= problem.path.length || problem.path[index] === step);
  const path = (places.findLast(isAbout) ?? places.at(-1))?.path ?? "";
  // the words begin with the path as the schema writes it: the line has said it already
  const [, where = "", said = ""] = /^(\S+): (.*)$/s.exec(problem.problem.replaceAll(`${ROOT}.`, "")) ?? [];
  const words = where === path && said !== "" ? said : problem.problem.replaceAll(`${ROOT}.`, "");
  throw new UsageError(`--set ${path}: ${words}`, problem.hint === "" ? undefined : problem.hint);
}

const ROOT = "settings";

/** Maps whose values are text in Kubernetes, and settings that look like numbers and are none. */
const TEXTS: ReadonlySet<unknown> = new Set([
  "env",
  "nodeSelector",
  "podAnnotations",
  "serviceAnnotations",
  "podLabels",
  "requests",
  "limits",
  "label",
  "labels",
]);

/** The value with the type that the schema has for the setting; where it leaves that open what YAML makes of it. */
function typed(text: string, type: string, segments: Segments): unknown {
  const where = `--set ${pathText(segments)}`;
  if (type === "boolean") return booleanValue(text, where);
  if (type === "integer" || type === "number") return numberValue(text, where);
  if (isTextType(type) || segments.at(-1) === "tag" || TEXTS.has(segments.at(-2))) return text;
  const value = yamlValue(text, where);
  if (isGroupType(type) && (typeof value !== "object" || value === null))
    throw new UsageError(`${where}: is a group of settings`, "Set one of its members.");
  return value;
}

function booleanValue(text: string, where: string): boolean {
  if (text !== "true" && text !== "false") throw new UsageError(`${where}: expected true or false, got "${text}"`);
  return text === "true";
}

function numberValue(text: string, where: string): number {
  if (text.trim() === "" || Number.isNaN(Number(text)))
    throw new UsageError(`${where}: expected a number, got "${text}"`);
  return Number(text);
}

function yamlValue(text: string, where: string): unknown {
  try {
    return parseYaml(text);
  } catch {
    throw new UsageError(`${where}: expected YAML, got "${text}"`, "Put text with special characters in quotes.");
  }
}

function unknownSetting(segments: Segments, depth: number, names: readonly string[]): UsageError {
  const close = nearest(String(segments[depth - 1]), names);
  const where = pathText(segments.slice(0, depth));
  const meant = parsePath(close ?? "") === undefined ? undefined : [...segments.slice(0, depth - 1), close ?? ""];
  const hint =
    meant === undefined ? `Known here: ${[...names].sort().join(", ")}.` : `Did you mean ${pathText(meant)}?`;
  return new UsageError(`--set ${pathText(segments)}: there is no setting ${where}`, hint);
}
