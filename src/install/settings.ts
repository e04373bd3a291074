import { UsageError } from "../base/errors.ts";
import { parsePath, pathText, type Segments, valueAt, withValueAt } from "../base/field-path.ts";
import { merge } from "../base/merge.ts";
import { nearest } from "../base/nearest.ts";
import { embedded } from "../gen/embedded.ts";
import { parseYaml } from "../resources/yaml-plain.ts";
import { isTextType, meshConfigPlace } from "./mesh-config-path.ts";

/** One switchable part of the mesh in a profile. */
export interface ComponentSettings {
  readonly enabled: boolean;
  readonly name?: string;
  readonly k8s?: Readonly<Record<string, unknown>>;
}

/** A profile with everything set: shape of manifests/profiles/default.yaml. */
export interface Settings {
  readonly profile: string;
  readonly hub: string;
  readonly tag: string;
  readonly namespace: string;
  readonly meshConfig: Readonly<Record<string, unknown>>;
  readonly components: {
    readonly base: ComponentSettings;
    readonly pilot: ComponentSettings;
    readonly ingressGateways: readonly ComponentSettings[];
  };
  readonly values: {
    readonly global: Readonly<Record<string, unknown>>;
    readonly sidecarInjectorWebhook: Readonly<Record<string, unknown>>;
  };
}

const PROFILE = /^profiles\/(.+)\.yaml$/;

/** Names of the bundled profiles, sorted. */
export function profileNames(): string[] {
  return Object.keys(embedded)
    .flatMap((file) => PROFILE.exec(file)?.[1] ?? [])
    .sort();
}

/**
 * The settings of a profile with `--set` lines on top, left to right: `default` first, then the profile, then the lines. Throws
 * UsageError for an unknown profile, a path that does not exist (with the name that was probably meant) and a value of the
 * wrong type.
 */
export function settingsOf(profile: string | undefined, overrides: readonly string[]): Settings {
  const lines = overrides.map(splitOverride);
  const chosen = lines.findLast(({ path }) => path === "profile")?.value ?? profile ?? "default";
  const defaults = readProfile("default");
  const base = merge(merge(defaults, readProfile(chosen), byName), { profile: chosen });
  const settings = lines
    .filter(({ path }) => path !== "profile")
    .reduce((data, { path, value }) => {
      const segments = parsePath(path);
      if (segments === undefined) throw new UsageError(`--set ${path}: not a path`, "Write it as a.b[0].c=value.");
      return withValueAt(data, segments, typed(value, segments, data));
    }, base);
  return settings as Settings;
}

function readProfile(name: string): unknown {
  const text = embedded[`profiles/${name}.yaml`];
  if (text !== undefined) return parseYaml(text) ?? {};
  const close = nearest(name, profileNames());
  const hint = close === undefined ? `Choose one of ${profileNames().join(", ")}.` : `Did you mean ${close}?`;
  throw new UsageError(`unknown profile "${name}"`, hint);
}

function splitOverride(line: string): { readonly path: string; readonly value: string } {
  const at = line.indexOf("=");
  if (at <= 0) throw new UsageError(`--set ${line}: expected path=value`);
  return { path: line.slice(0, at), value: line.slice(at + 1) };
}

/** Gateways are told apart by name when a profile changes one. */
function byName(path: readonly string[]): string | undefined {
  return path.at(-1) === "ingressGateways" ? "name" : undefined;
}

/** The value with the type that the setting has by default; in an open map what YAML makes of it, or text. */
function typed(value: string, segments: Segments, data: unknown): unknown {
  const where = pathText(segments);
  const known = knownSetting(segments, data);
  if (known.isOpen) return known.isText ? value : parseYaml(value);
  const wrong = (expected: string): UsageError =>
    new UsageError(`--set ${where}: expected ${expected}, got "${value}"`);
  const type = typeof known.current;
  if (type === "object") throw new UsageError(`--set ${where}: is a group of settings`, "Set one of its members.");
  if (type === "boolean") {
    if (value !== "true" && value !== "false") throw wrong("true or false");
    return value === "true";
  }
  if (type === "number") {
    if (value.trim() === "" || Number.isNaN(Number(value))) throw wrong("a number");
    return Number(value);
  }
  return value;
}

interface Known {
  readonly current: unknown;
  readonly isOpen: boolean;
  /** Values of this open map are text in Kubernetes: labels, annotations, environment. */
  readonly isText: boolean;
}

function knownSetting(segments: Segments, data: unknown): Known {
  if (segments[0] === "meshConfig") return knownMeshConfig(segments);
  for (let depth = 1; depth <= segments.length; depth += 1) {
    const parent = valueAt(data, segments.slice(0, depth - 1));
    const segment = segments[depth - 1] ?? "";
    if (isOpenMap(parent) && depth > 1)
      return { current: undefined, isOpen: true, isText: isTextMap(segments[depth - 2]) };
    if (segments[depth - 2] === "resources") return { current: undefined, isOpen: true, isText: true };
    if (Array.isArray(parent) && segment === parent.length) return { current: undefined, isOpen: true, isText: false };
    if (valueAt(parent, [segment]) === undefined) throw unknownSetting(segments, depth, Object.keys(parent as object));
  }
  return { current: valueAt(data, segments), isOpen: false, isText: false };
}

function knownMeshConfig(segments: Segments): Known {
  const place = meshConfigPlace(segments.slice(1));
  if ("missing" in place) throw unknownSetting(segments, place.missing + 2, place.names);
  const { type } = place;
  if (segments.length === 1) return { current: {}, isOpen: false, isText: false };
  if (type === "boolean") return { current: false, isOpen: false, isText: false };
  if (type === "integer" || type === "number") return { current: 0, isOpen: false, isText: false };
  return { current: undefined, isOpen: true, isText: isTextType(type) };
}

function unknownSetting(segments: Segments, depth: number, names: readonly string[]): UsageError {
  const close = nearest(String(segments[depth - 1]), names);
  const where = pathText(segments.slice(0, depth));
  const hint =
    close === undefined
      ? `Known here: ${[...names].sort().join(", ")}.`
      : `Did you mean ${pathText([...segments.slice(0, depth - 1), close])}?`;
  return new UsageError(`--set ${pathText(segments)}: there is no setting ${where}`, hint);
}

const TEXT_MAPS: readonly unknown[] = ["env", "nodeSelector", "podAnnotations", "serviceAnnotations"];

function isTextMap(segment: unknown): boolean {
  return TEXT_MAPS.includes(segment);
}

function isOpenMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}
