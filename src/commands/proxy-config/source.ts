import { EnvironmentError, UsageError } from "../../base/errors.ts";
import { globalOptions, textOption } from "../input.ts";
import type { CommandInput, Io } from "../io.ts";
import { findPod, getJson } from "../pod-http.ts";
import { readInput, readTextFile } from "../sources.ts";
import { resolve } from "node:path";
import { statusesOf } from "./eds.ts";
import { sections } from "./view.ts";

/** Whoever answers what a proxy's admin port would: the proxy itself, or a dump that was taken of it. */
export interface ProxySource {
  /** `web-6d5f.shop`, or the file. */
  readonly name: string;
  /** The JSON that a path of the admin port answers. Throws ClusterError, and EnvironmentError for what a dump lacks. */
  readonly get: (path: string) => Promise<unknown>;
}

/** Envoy's admin port in every pod of the mesh. */
export const ADMIN_PORT = "15000";

/** The proxy of a command line: a pod (the argument), or a dump of one (`--file`), for which no cluster is opened. */
export async function proxySource(input: CommandInput, io: Io): Promise<ProxySource> {
  const file = textOption(input, "file");
  const [pod, ...more] = input.args;
  if (more.length > 0) throw new UsageError(`expected one pod, got ${input.args.length}`);
  if (file !== undefined && pod !== undefined) throw new UsageError("a pod and --file exclude each other");
  if (file !== undefined) return dumpSource(file, io);
  if (pod === undefined) throw new UsageError("name a pod, or a dump of its proxy with --file");
  return podSource(pod, input, io);
}

/** A running proxy, asked through the API server. */
export async function podSource(text: string, input: CommandInput, io: Io): Promise<ProxySource> {
  const cluster = await io.cluster();
  const pod = await findPod(cluster, text, globalOptions(input).namespace ?? "default");
  const target = { ...pod, port: adminPort(input) };
  return { name: `${pod.pod}.${pod.namespace}`, get: (path) => getJson(cluster, target, path) };
}

/** The admin port that a command line means. Throws UsageError for what is no port. */
export function adminPort(input: CommandInput): number {
  const given = textOption(input, "proxyAdminPort") ?? ADMIN_PORT;
  const port = Number(given);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new UsageError(`--proxy-admin-port: expected a port from 1 to 65535, got "${given}"`);
}

/** What `/config_dump` of a proxy printed, from a file or standard input (`-`); its endpoints when it was taken with them. */
export async function dumpSource(file: string, io: Io): Promise<ProxySource> {
  const text = file === "-" ? await readInput(io) : await readTextFile(resolve(io.cwd, file), file);
  const name = file === "-" ? "stdin" : file;
  const dump = parseDump(text, name);
  const get = async (path: string): Promise<unknown> => {
    const asksEndpoints = path.startsWith("/clusters") || path.includes("include_eds");
    if (asksEndpoints && sections(dump, "EndpointsConfigDump").length === 0)
      throw new EnvironmentError("no-endpoints", `${name} holds no endpoints`, {
        hint: "Take the dump with them: curl 'localhost:15000/config_dump?include_eds'.",
      });
    return path.startsWith("/clusters") ? statusesOf(dump) : dump;
  };
  return { name, get };
}

function parseDump(text: string, name: string): unknown {
  const hint = "Expected what Envoy answers to /config_dump, or proxy-config all -o json prints.";
  try {
    const dump: unknown = JSON.parse(text);
    if (typeof dump === "object" && dump !== null && Array.isArray((dump as { configs?: unknown }).configs))
      return dump;
  } catch {
    throw new EnvironmentError("bad-dump", `${name} is no JSON`, { hint });
  }
  throw new EnvironmentError("bad-dump", `${name} is no configuration dump: it has no list "configs"`, { hint });
}
