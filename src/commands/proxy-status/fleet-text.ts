import { durationText } from "../../base/age.ts";
import { table } from "../../report/table.ts";
import { COMMON_COLUMNS, MORE_COLUMNS, type ProxyState, type TypeState } from "./states.ts";

/** How much is told of each proxy, and when it is looked at. */
export interface FleetTextOptions {
  /** How long ago each type was confirmed, since when it is connected, until when its certificate holds. */
  readonly verbose: boolean;
  readonly now: Date;
}

/** The table of all proxies. Types that few proxies have get a column where one of them is not in sync. */
export function fleetTable(proxies: readonly ProxyState[], { verbose, now }: FleetTextOptions): string {
  const more = MORE_COLUMNS.filter((column) =>
    proxies.some(({ types }) => types[column] !== undefined && (verbose || types[column].status !== "SYNCED")),
  );
  const columns = [...COMMON_COLUMNS, ...more];
  const header = ["NAME", "CLUSTER", "ISTIOD", "REVISION", "VERSION", ...columns];
  const rows = proxies.map((proxy) => {
    const { name, namespace, cluster, istiod, revision, version, types } = proxy;
    const cells = columns.map((column) => stateText(types[column], verbose ? now : undefined));
    const row = [`${name}.${namespace}`, cluster, istiod, revision, version, ...cells];
    return verbose ? [...row, ageText(proxy.connectedAt, now), untilText(proxy.certificateExpires, now)] : row;
  });
  return table(verbose ? [...header, "CONNECTED", "CERTIFICATE"] : header, rows);
}

/** `SYNCED (3s)` with the time since it was confirmed; without one the word alone. */
function stateText(state: TypeState | undefined, now: Date | undefined): string {
  if (state === undefined) return "-";
  if (now === undefined || state.ackedAt === undefined) return state.status;
  return `${state.status} (${ageText(state.ackedAt, now)})`;
}

/** Time since, as kubectl prints it; `-` when there is none. */
export function ageText(time: string | undefined, now: Date): string {
  return time === undefined ? "-" : durationText(now.getTime() - Date.parse(time));
}

/** Time until, or `EXPIRED`; `-` when there is none. */
export function untilText(time: string | undefined, now: Date): string {
  if (time === undefined) return "-";
  const left = Date.parse(time) - now.getTime();
  return left <= 0 ? "EXPIRED" : durationText(left);
}

/** Signs of Envoy's words in a table or a line; it may print whole resources. */
const MOST_SIGNS = 300;

/** Envoy's words on one line, without what is too much of them. */
export function briefWords(words: string): string {
  const line = words.replaceAll(/\s+/g, " ").trim();
  return line.length > MOST_SIGNS ? `${line.slice(0, MOST_SIGNS)}…` : line;
}

/** A line for each refusal, with Envoy's words. */
export function refusals(proxies: readonly ProxyState[]): string {
  return proxies
    .flatMap(({ name, namespace, types }) =>
      Object.entries(types)
        .filter(([, { status }]) => status === "NACK")
        .map(
          ([type, { lastError = "no reason was given" }]) =>
            `${name}.${namespace} refused ${type}: ${briefWords(lastError)}\n`,
        ),
    )
    .join("");
}
