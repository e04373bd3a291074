import { request } from "node:http";
import { compact } from "../base/compact.ts";
import { ClusterError, errorText, UsageError } from "../base/errors.ts";
import { cutLines } from "../report/table.ts";
import type { Cluster } from "../resources/cluster.ts";
import { durationOption, globalOptions, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { findPods } from "./pod-http.ts";
import { ADMIN_PORT } from "./proxy-config/source.ts";
import { identityCell } from "./traffic/rows.ts";
import {
  jsonPieces,
  type TappedPod,
  type TappedRequest,
  tappedRequest,
  tapQuestion,
  type TapWish,
} from "./traffic/tap-request.ts";

/** `meshctl tap POD|WORKLOAD`: single requests as they pass the proxies, until Ctrl-C, --duration or --count. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const { namespace } = globalOptions(input);
  const wish = wishOf(input);
  const [from, direction] = [textOption(input, "from"), textOption(input, "direction")];
  const count = countOf(input);
  const durationMs = durationOption(input, "duration", "0");
  const cluster = await io.cluster();
  const found = await findPods(cluster, input.args[0] ?? "", namespace ?? "default");
  const pods = await Promise.all(found.pods.map((pod) => tappedPod(cluster, { namespace: found.namespace, pod })));
  const ended = new AbortController();
  const signals = [io.signal, ended.signal, ...(durationMs === 0 ? [] : [AbortSignal.timeout(durationMs)])];
  const signal = AbortSignal.any(signals);
  const told = teller(pods, input, io);
  let seen = 0;
  const onRequest = (one: TappedRequest): void => {
    if (direction !== undefined && one.direction !== direction) return;
    if (from !== undefined && !isFrom(one, from)) return;
    if (count > 0 && seen >= count) return;
    seen += 1;
    told(one);
    if (seen === count) ended.abort();
  };
  const withHeaders = switchOption(input, "headers");
  await Promise.all(
    pods.map((pod) =>
      tapPod(cluster, pod, {
        question: tapQuestion(wish),
        signal,
        onTrace: (trace) => onRequest(tappedRequest(trace, pod, withHeaders)),
      }),
    ),
  );
  return { exitCode: 0 };
}

function wishOf(input: CommandInput): TapWish {
  const status = textOption(input, "status")?.toLowerCase();
  if (status !== undefined && !/^[1-5](\d\d|xx)$/.test(status))
    throw new UsageError(`--status: expected a status such as 503 or 5xx, got "${status}"`);
  return compact({
    method: textOption(input, "method"),
    path: textOption(input, "path"),
    to: textOption(input, "to"),
    status,
  });
}

function countOf(input: CommandInput): number {
  const text = textOption(input, "count") ?? "0";
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--count: expected a number, got "${text}"`);
}

/** Whether the client is one that a user named: `namespace/account`, a whole identity, or an address. */
function isFrom({ client, source }: TappedRequest, wanted: string): boolean {
  return (
    client === wanted || (client !== undefined && identityCell(client) === wanted) || source.startsWith(`${wanted}:`)
  );
}

async function tappedPod(
  cluster: Cluster,
  { namespace, pod }: { readonly namespace: string; readonly pod: string },
): Promise<TappedPod> {
  const object = await cluster.get({ apiVersion: "v1", kind: "Pod", namespace, name: pod });
  const address = (object?.status as { readonly podIP?: string } | undefined)?.podIP ?? "";
  return { namespace, pod, address };
}

/** One proxy's `/tap`, until the signal. Throws ClusterError when it refuses, or ends by itself. */
async function tapPod(
  cluster: Cluster,
  { namespace, pod }: TappedPod,
  {
    question,
    signal,
    onTrace,
  }: { readonly question: unknown; readonly signal: AbortSignal; readonly onTrace: (trace: unknown) => void },
): Promise<void> {
  const place = `pod ${namespace}/${pod}`;
  const stream = await cluster.portForward({ namespace, pod, port: Number(ADMIN_PORT) });
  const body = JSON.stringify(question);
  const pieces = jsonPieces();
  try {
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        stream.destroy();
        resolve();
      };
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const options = { method: "POST", path: "/tap", host: "localhost", headers, createConnection: () => stream };
      const call = request(options, (response) => {
        const ok = response.statusCode === 200;
        let refusal = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => {
          if (ok) for (const trace of pieces(text)) onTrace(trace);
          else refusal = (refusal + text).slice(0, 300);
        });
        response.on("error", reject);
        response.on("end", () =>
          reject(new Error(ok ? "the proxy ended it" : `its proxy answered ${response.statusCode}: ${refusal.trim()}`)),
        );
      });
      call.on("error", reject);
      call.end(body);
    });
  } catch (error) {
    if (signal.aborted) return;
    throw new ClusterError("tap", `${place}: ${errorText(error)}`, {
      hint: "One tap of a pod can be open at a time; the pod must have a proxy that has its configuration from this mesh.",
      cause: error,
    });
  } finally {
    stream.destroy();
  }
}

/** Prints requests: a line of columns each, or of JSON. */
function teller(pods: readonly TappedPod[], input: CommandInput, io: Io): (one: TappedRequest) => void {
  if (textOption(input, "output") === "json") return (one) => io.out(`${JSON.stringify(one)}\n`);
  const width = pods.reduce((longest, { pod }) => Math.max(longest, pod.length), "POD".length);
  // people who look at one pod know its name, and have no room for it
  const isKnown = io.isTTY && pods.length === 1;
  const tell = (cells: readonly string[]): void => {
    const line = tapLine(cells, isKnown ? undefined : width);
    io.out(io.isTTY ? cutLines(line, io.columns) : line);
  };
  tell(["TIME", "POD", "DIRECTION", "STATUS", "DURATION", "METHOD", "FROM", "URL"]);
  return (one) => tell(tapCells(one));
}

/** Cells of one request, in the order of the headings. */
function tapCells(one: TappedRequest): readonly string[] {
  const { time, pod, direction, method, authority, path, client, source } = one;
  const status = one.status === undefined ? "-" : String(one.status);
  return [
    time.slice(11, 23),
    pod,
    direction,
    one.grpcStatus === undefined ? status : `${status}/${one.grpcStatus}`,
    one.durationMs === undefined ? "-" : `${one.durationMs.toFixed(1)}ms`,
    method,
    client !== undefined ? identityCell(client) : direction === "inbound" ? source : "-",
    `${authority}${path}`,
  ];
}

/** Columns of fixed widths: what comes later is not known yet. Without a width for the pod's name that is left out. */
function tapLine(cells: readonly string[], podWidth: number | undefined): string {
  const widths = [12, podWidth ?? 0, 9, 6, 10, 7, 20, 0];
  return `${cells
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .filter((_, column) => column !== 1 || podWidth !== undefined)
    .join("   ")
    .trimEnd()}\n`;
}
