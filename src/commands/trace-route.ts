import { UsageError } from "../base/errors.ts";
import type { Proxy } from "../ir/proxy.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { claimsOf } from "./authz/asked.ts";
import { globalOptions, listOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { type OfflineMesh, readMesh, tellStandIns } from "./offline/mesh.ts";
import { proxyLabelled, proxyNamed } from "./offline/proxies.ts";
import { traceText } from "./trace/text.ts";
import { trace } from "./trace/trace.ts";
import type { Asked, Trace } from "./trace/types.ts";

export interface TraceRouteResult extends CommandResult {
  readonly trace: Trace;
}

/**
 * `meshctl trace-route --from POD URL`: which way a request would take through the mesh of files or of the cluster, decision by
 * decision, with what lost and where it is written. Exit code 1 when a part of the requests arrives nowhere.
 */
export async function run(input: CommandInput, io: Io): Promise<TraceRouteResult> {
  const { namespace } = globalOptions(input);
  const asked = readRequest(input, io.now());
  const mesh = await readMesh(input, io);
  const client = clientOf(input, mesh, namespace);
  tellStandIns(mesh, [client], io);
  const walked = trace(mesh, client, asked);
  const output = textOption(input, "output");
  if (output === "json") io.out(`${JSON.stringify(walked, undefined, 2)}\n`);
  else if (output === "yaml") io.out(toYaml(JSON.parse(JSON.stringify(walked))));
  else io.out(traceText(walked));
  return { exitCode: walked.ends.kind === "failed" ? 1 : 0, trace: walked };
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
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw new UsageError(`expected an http or https URL, got "${given}"`, "For example http://reviews.shop/api.");
  const headers = listOption(input, "header").map((line) => {
    const colon = line.indexOf(":");
    if (colon <= 0) throw new UsageError(`expected a header as "name: value", got "${line}"`);
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  const claims = claimsOf(textOption(input, "claims"));
  return {
    url: new URL(text),
    method: (textOption(input, "method") ?? "GET").toUpperCase(),
    headers,
    ...(claims === undefined ? {} : { token: { claims, signed: true } }),
    now: now.getTime() / 1_000,
  };
}
