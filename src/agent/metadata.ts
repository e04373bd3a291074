import { errorText, EnvironmentError } from "../base/errors.ts";
import { PEER_KEYS, peerLabel, type PeerKey, type PeerLabels } from "../base/peer.ts";

/** The environment of the process, as node gives it. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Where pod labels and annotations come from: files of the downward API. Undefined when there is no such file. */
export type ReadFile = (path: string) => string | undefined;

export type NodeMetadata = Readonly<Record<string, unknown>>;

const LABELS_FILE = "./etc/istio/pod/labels";
const ANNOTATIONS_FILE = "./etc/istio/pod/annotations";
/** Labels that say nothing about the workload and change with every rollout. */
const DROPPED_LABELS = new Set(["pod-template-hash"]);

/**
 * Node metadata as the control plane reads it (keys of Istio's node metadata): `ISTIO_META_<KEY>` as strings, every
 * `ISTIO_METAJSON_*` merged as an object under its key, labels and annotations from the downward API, and what the
 * pod's own environment tells. Throws EnvironmentError for JSON that cannot be read.
 */
export function readMetadata(env: Env, readFile: ReadFile): NodeMetadata {
  const labels = withoutDropped(downwardFile(readFile(LABELS_FILE)));
  const annotations = downwardFile(readFile(ANNOTATIONS_FILE));
  const out: Record<string, unknown> = {};
  if (labels !== undefined) out["LABELS"] = labels;
  if (annotations !== undefined) out["ANNOTATIONS"] = annotations;
  addFromEnvironment(out, env);
  const own: Record<string, string | undefined> = {
    NAME: env["POD_NAME"],
    NAMESPACE: env["POD_NAMESPACE"],
    INSTANCE_IPS: env["INSTANCE_IPS"] ?? env["INSTANCE_IP"],
    SERVICE_ACCOUNT: env["SERVICE_ACCOUNT"],
  };
  for (const [key, value] of Object.entries(own)) if (value !== undefined && value !== "") out[key] ??= value;
  return out;
}

/** Sorted by name, so that what is merged does not depend on the environment's order. */
function addFromEnvironment(out: Record<string, unknown>, env: Env): void {
  for (const [name, value] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (value === undefined || value === "") continue;
    if (name.startsWith("ISTIO_META_")) out[name.slice("ISTIO_META_".length)] = value;
    if (name.startsWith("ISTIO_METAJSON_")) mergeJson(out, name, value);
  }
}

/** The seven labels a workload tells its peers, from its metadata. The same rules as meshd's when it signs. */
export function peerLabelsOf(metadata: NodeMetadata): PeerLabels {
  const labels = isRecord(metadata["LABELS"]) ? metadata["LABELS"] : {};
  const label = (...names: readonly string[]): string | undefined => {
    for (const name of names) if (typeof labels[name] === "string" && labels[name] !== "") return labels[name];
    return undefined;
  };
  const text = (key: string): string | undefined => {
    const value = metadata[key];
    return typeof value === "string" ? value : undefined;
  };
  const values: Readonly<Record<PeerKey, string | undefined>> = {
    workload: text("WORKLOAD_NAME"),
    ns: text("NAMESPACE"),
    canonical: label("service.istio.io/canonical-name", "app.kubernetes.io/name", "app") ?? text("WORKLOAD_NAME"),
    revision: label("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version"),
    app: label("app"),
    version: label("version"),
    cluster: text("CLUSTER_ID"),
  };
  return Object.fromEntries(PEER_KEYS.map((key) => [key, peerLabel(key, values[key])])) as PeerLabels;
}

/** Whether a value read from JSON is an object, not a list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object out of an environment variable. Throws EnvironmentError that names the variable. */
export function parseJsonObject(name: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EnvironmentError("agent-env", `${name} is not JSON: ${errorText(cause)}`, {
      hint: `Set ${name} to a JSON object.`,
      cause,
    });
  }
  if (isRecord(value)) return value;
  throw new EnvironmentError("agent-env", `${name}: expected a JSON object, got ${JSON.stringify(value)}`, {
    hint: `Set ${name} to a JSON object.`,
  });
}

/** Lines of `key="value"`, the value quoted as Go does; undefined when there is no file. */
function downwardFile(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  const out: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    if (at <= 0) continue;
    out[line.slice(0, at)] = unquote(line.slice(at + 1).trim());
  }
  return out;
}

/** Go's quoting is JSON's for all that labels may hold; annotations may use `\a`, `\v` and `\x`, kept as they are. */
function unquote(value: string): string {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "string" ? parsed : value;
  } catch {
    return value.replace(/^"|"$/g, "");
  }
}

function withoutDropped(labels: Record<string, string> | undefined): Record<string, string> | undefined {
  return labels && Object.fromEntries(Object.entries(labels).filter(([key]) => !DROPPED_LABELS.has(key)));
}

/** `ISTIO_METAJSON_LABELS='{"a":"b"}'` adds to LABELS; any other name adds its members at the top. */
function mergeJson(out: Record<string, unknown>, name: string, text: string): void {
  const value = parseJsonObject(name, text);
  const key = name.slice("ISTIO_METAJSON_".length);
  if (key !== "LABELS" && key !== "ANNOTATIONS") {
    Object.assign(out, value);
    return;
  }
  const before = isRecord(out[key]) ? out[key] : {};
  out[key] = { ...before, ...value };
}
