import {
  type AccessLogReader,
  type AccessLogRecord,
  accessLogReader,
  type AccessLogFormat,
  DEFAULT_ACCESS_LOG_FORMATS,
} from "../../base/access-log-line.ts";
import { MeshError } from "../../base/errors.ts";
import type { Model } from "../../model/model.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { Symptom } from "../../why/types.ts";

/** How many lines of a proxy's output are looked through. */
const TAIL = 5_000;

/** A reader of the mesh's own format, and of the usual ones. */
export function readerFor(model: Model): AccessLogReader {
  const { accessLogFormat: format, accessLogEncoding: encoding } = model.meshConfig();
  return accessLogReader([...ownFormat(format, encoding), ...DEFAULT_ACCESS_LOG_FORMATS]);
}

function ownFormat(format: string, encoding: "TEXT" | "JSON"): readonly AccessLogFormat[] {
  if (format === "") return [];
  if (encoding === "TEXT") return [{ text: format }];
  try {
    const json: unknown = JSON.parse(format);
    return typeof json === "object" && json !== null ? [{ json: json as Readonly<Record<string, unknown>> }] : [];
  } catch {
    return [];
  }
}

/** A line as a symptom; what stands before it (a time of kubectl, a pod's name) is passed over. undefined: it is none. */
export function symptomIn(line: string, read: AccessLogReader): Symptom | undefined {
  const text = line.trim();
  const starts = [0, text.search(/\[\d{4}-/), text.indexOf("{")].filter((at) => at >= 0);
  for (const at of starts) {
    const record = read(text.slice(at));
    if (record !== undefined) return { ...record, from: "line", text: text.slice(at) };
  }
  return undefined;
}

/** The output of a pod's proxy, line by line; none when it cannot be read. */
export async function proxyLines(
  cluster: Cluster,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<readonly string[]> {
  try {
    const text = await cluster.logs({ namespace, pod: name, container: "istio-proxy", tailLines: TAIL });
    return text.split("\n");
  } catch (error) {
    if (error instanceof MeshError) return [];
    throw error;
  }
}

/** Whether a line tells of a failure, or of an answer that nobody wants. */
export function isFailure({ status = 0, flags, method }: AccessLogRecord): boolean {
  return status >= 400 || flags.length > 0 || (status === 0 && method !== undefined);
}

/** Failures of the same sort: the newest of each, newest first. */
export function newestOfEach(symptoms: readonly Symptom[], most: number): readonly Symptom[] {
  const seen = new Map<string, Symptom>();
  for (const symptom of symptoms) {
    const { status, flags, details, upstreamCluster, authority, routeName } = symptom;
    const key = [status, flags.join(), details, upstreamCluster, authority, routeName].join(" ");
    seen.delete(key);
    seen.set(key, symptom);
  }
  return [...seen.values()].toReversed().slice(0, most);
}
