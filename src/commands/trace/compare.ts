import type { Symptom } from "../../why/types.ts";
import type { Ending, Trace } from "./types.ts";

/** What became of a request that was really sent. */
export interface Happened {
  readonly status: number | undefined;
  /** The line of the client's proxy. */
  readonly own: Symptom | undefined;
  /** Lines of proxies behind it. */
  readonly servers: readonly Symptom[];
  readonly error: string | undefined;
  /** Of bytes that were sent: how many came back, and whether the other side ended the connection. */
  readonly bytes?: number | undefined;
  readonly closed?: boolean | undefined;
}

/** Where what happened is another thing than what the walk says, in words; empty: nowhere. */
export function compare({ branches, ends }: Trace, happened: Happened): readonly string[] {
  const all = branches.length === 0 ? [ends] : branches.filter(({ share }) => share > 0).map((branch) => branch.ends);
  const mayArrive = all.some(({ kind }) => kind === "delivered" || kind === "left");
  const clusters = branches.map((branch) => branch.cluster);
  const outcome = mayArrive ? notArrived(happened) : otherAnswer(all, clusters, happened);
  return [...elsewhere(clusters, happened), ...outcome];
}

function elsewhere(clusters: readonly string[], { own }: Happened): readonly string[] {
  const cluster = own?.upstreamCluster;
  if (cluster === undefined || clusters.length === 0 || clusters.includes(cluster)) return [];
  return [`it went to ${cluster}, the walk to ${clusters.join(" or ")}`];
}

const LOST = ["UH", "NC", "NR", "UF"];

function notArrived({ own, servers, error }: Happened): readonly string[] {
  const refused = servers.find(isRefused);
  if (refused !== undefined)
    return [`the server's proxy refused it (${refused.terminationDetails ?? refused.details ?? ""}), the walk arrives`];
  if (own === undefined) return error === undefined ? [] : [`no answer came: ${error}; the walk arrives`];
  const isLost = own.flags.some((flag) => LOST.includes(flag));
  return isLost ? [`it failed with ${own.flags.join(",")} (${own.details ?? ""}), the walk arrives`] : [];
}

function isRefused({ details = "", terminationDetails = "" }: Symptom): boolean {
  return details.startsWith("rbac_access_denied") || terminationDetails.startsWith("rbac_access_denied");
}

function otherAnswer(
  all: readonly Ending[],
  clusters: readonly string[],
  { status, own, bytes = 0, closed }: Happened,
): readonly string[] {
  const answers = [...new Set(all.flatMap(({ text }) => /\b([1-5]\d\d)\b/.exec(text)?.[1] ?? []))];
  const isOther = status !== undefined && answers.length > 0 && !answers.includes(String(status));
  const wasSent = clusters.length === 0 && own?.details === "via_upstream";
  // a proxy that refuses bytes sends none
  const wasHeard = closed === false && bytes > 0 && answers.length === 0;
  return [
    ...(isOther ? [`the status was ${status}, the walk says ${answers.join(" or ")}`] : []),
    ...(wasSent ? ["it was sent on, the walk is answered by the proxy itself"] : []),
    ...(wasHeard ? [`${bytes} bytes came back, the walk arrives nowhere`] : []),
  ];
}
