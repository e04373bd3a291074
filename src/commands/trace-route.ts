import { UsageError } from "../base/errors.ts";
import type { Proxy } from "../ir/proxy.ts";
import { claimsOf } from "./authz/asked.ts";
import { globalOptions, listOption, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { type OfflineMesh, readMesh, tellStandIns } from "./offline/mesh.ts";
import { proxyLabelled, proxyNamed } from "./offline/proxies.ts";
import { print } from "./print.ts";
import { meshOfDumps, readDumps } from "./trace/dumps.ts";
import { traceText } from "./trace/text.ts";
import { trace } from "./trace/trace.ts";
import { type Asked, isBytes, portOf, type Trace } from "./trace/types.ts";

export interface TraceRouteResult extends CommandResult {
  readonly trace: Trace;
}

/**
 * `meshctl trace-route --from POD URL`: which way a request would take through the mesh of files, of the cluster, or of dumps of
 * proxies, decision by decision, with what lost and where it is written. With --live it walks what the proxies run, sends the
 * request and compares. Exit code 1 when a part of the requests arrives nowhere, or the request went another way.
 */
export async function run(input: CommandInput, io: Io): Promise<TraceRouteResult> {
  const asked = readRequest(input, io.now());
  const walked = await walk(input, io, asked);
  print(input, io, { data: walked, text: traceText(walked) });
  return { exitCode: walked.ends.kind === "failed" || walked.live?.agrees === false ? 1 : 0, trace: walked };
}

async function walk(input: CommandInput, io: Io, asked: Asked): Promise<Trace> {
  const { namespace, istioNamespace } = globalOptions(input);
  const dumps = await readDumps(listOption(input, "filename"), io);
  if (dumps.length > 0) {
    const { mesh, proxies, views } = meshOfDumps(dumps, istioNamespace);
    const [first] = proxies;
    const from = textOption(input, "from");
    const client = from === undefined && first !== undefined ? first : proxyNamed(mesh.model, from ?? "", namespace);
    const real = proxies.find((proxy) => proxy.name === client.name && proxy.namespace === client.namespace) ?? client;
    return trace({ mesh, positionOf: () => undefined, notes: new Map() }, real, asked, views);
  }
  const mesh = await readMesh(input, io);
  const client = clientOf(input, mesh, namespace);
  tellStandIns(mesh, [client], io);
  if (!switchOption(input, "live")) return trace(mesh, client, asked);
  const { walkLive } = await import("./trace/walk-live.ts");
  return walkLive(input, io, { mesh, client, asked });
}

function clientOf(input: CommandInput, { mesh }: OfflineMesh, namespace: string | undefined): Proxy {
  const from = textOption(input, "from");
  const labels = textOption(input, "labels");
  if ((from === undefined) === (labels === undefined))
    throw new UsageError(
      "expected one of --from and --labels",
      "Name the pod that asks, or its labels with -n NAMESPACE.",
    );
  if (from !== undefined) return proxyNamed(mesh.model, from, namespace);
  const pairs = (labels ?? "").split(",").map((pair) => pair.split("="));
  if (pairs.some((pair) => pair.length !== 2 || pair[0] === ""))
    throw new UsageError(`expected labels as a=b,c=d, got "${labels ?? ""}"`);
  return proxyLabelled(mesh.model, Object.fromEntries(pairs) as Record<string, string>, namespace ?? "default");
}

/** The request of a command line: the URL is its argument. Throws UsageError. */
export function readRequest(input: CommandInput, now: Date): Asked {
  const [given = ""] = input.args;
  const text = /^[a-z]+:\/\//i.test(given) ? given : `http://${given}`;
  const isUrl = URL.canParse(text) && /^(?:https?|tcp):/.test(text);
  if (!isUrl)
    throw new UsageError(
      `expected an http, https or tcp URL, got "${given}"`,
      "For example http://reviews.shop/api or tcp://ledger.shop:9000.",
    );
  const url = new URL(text);
  if (portOf(url) === 0) throw new UsageError(`expected a port, got "${given}"`, "For example tcp://ledger.shop:9000.");
  const headers = listOption(input, "header").map((line) => {
    const colon = line.indexOf(":");
    if (colon <= 0) throw new UsageError(`expected a header as "name: value", got "${line}"`);
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  const claims = claimsOf(textOption(input, "claims"));
  const data = textOption(input, "data");
  return {
    url,
    method: isBytes({ url }) ? "TCP" : (textOption(input, "method") ?? "GET").toUpperCase(),
    headers,
    ...(data === undefined ? {} : { data }),
    ...(claims === undefined ? {} : { token: { claims, signed: true } }),
    now: now.getTime() / 1_000,
  };
}
