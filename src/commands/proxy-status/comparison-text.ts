import type { Source } from "../../why/source.ts";
import { table } from "../../report/table.ts";
import type { PlaceDiff, ResourceDiff, TypeDiff } from "./diff.ts";
import { ageText, briefWords, untilText } from "./fleet-text.ts";
import type { Comparison } from "./one-proxy.ts";
import type { ProxyState } from "./states.ts";

/** How a comparison is told. */
export interface ComparisonTextOptions {
  /** Which object and field each place comes from. */
  readonly why: boolean;
  /** Patches that may have changed resources, by type (`LDS`). */
  readonly patches: ReadonlyMap<string, readonly string[]>;
  readonly now: Date;
}

const STATES: Readonly<Record<ResourceDiff["state"], string>> = {
  differs: "differs",
  missing: "is not in Envoy",
  extra: "is in Envoy alone",
  warming: "is taken and not in use",
};

/** One proxy: istioctl's lines (`Clusters Match`), what differs below them, then how each type stands. */
export function comparisonText(comparison: Comparison, options: ComparisonTextOptions): string {
  const { state, types } = comparison;
  const name = `${state.name}.${state.namespace}`;
  if (types === undefined) return `${name} is connected to no control plane: there is nothing to compare with.\n`;
  const lines = types.flatMap((type) => typeLines(type, comparison, options));
  return `${lines.join("\n")}\n\n${standing(comparison, options.now)}`;
}

function typeLines(diff: TypeDiff, comparison: Comparison, options: ComparisonTextOptions): string[] {
  const { title, key } = diff.type;
  const loaded = key === "route" && comparison.routesLoadedAt !== undefined ? comparison.routesLoadedAt : undefined;
  const when = loaded === undefined ? "" : ` (RDS last loaded at ${new Date(loaded).toUTCString()})`;
  if (diff.matches) return [`${title} Match${when}`];
  return [
    `${title} Don't Match${when}`,
    `--- Istiod ${title}`,
    `+++ Envoy ${title}`,
    ...(options.patches.get(diff.type.column) ?? []).map((patch) => ` perhaps patched by ${patch}`),
    ...diff.resources.flatMap((resource) => resourceLines(resource, options, refusalOf(resource, comparison, diff))),
  ];
}

/** Envoy's dump has words for listeners alone; of others the refusal that names them says it. */
function refusalOf({ name, refused }: ResourceDiff, { state }: Comparison, { type }: TypeDiff): string | undefined {
  const last = state.types[type.column];
  if (refused !== undefined || last?.status !== "NACK") return refused;
  return last.pending?.includes(name) === true ? last.lastError : undefined;
}

function resourceLines(
  { name, state, differences, count, from = [] }: ResourceDiff,
  { why }: ComparisonTextOptions,
  refused: string | undefined,
): string[] {
  const more = count > differences.length ? [` ${count - differences.length} more places differ`] : [];
  return [
    `@@ ${name} ${STATES[state]} @@`,
    ...(refused === undefined ? [] : [` Envoy refused it: ${briefWords(refused)}`]),
    ...differences.flatMap((place) => placeLines(place, why)),
    ...more,
    ...(why ? from.map((object) => `  from ${object}`) : []),
  ];
}

function placeLines({ path, istiod, envoy, why: source }: PlaceDiff, why: boolean): string[] {
  return [
    ...(istiod === undefined ? [] : [`-${path}: ${istiod}`]),
    ...(envoy === undefined ? [] : [`+${path}: ${envoy}`]),
    ...(why && source !== undefined ? [`  from ${sourceText(source)}`] : []),
  ];
}

/** `VirtualService shop/reviews spec.http[0]` */
export function sourceText({ object, field }: Source): string {
  return field === undefined ? object : `${object} ${field}`;
}

function standing({ state, certificateExpires }: Comparison, now: Date): string {
  const rows = Object.entries(state.types).map(([type, { status, ackedAt, lastError = "" }]) => [
    type,
    status,
    ageText(ackedAt, now),
    briefWords(lastError),
  ]);
  const certificate = certificateExpires ?? state.certificateExpires;
  const facts = [
    `Proxy ${state.name}.${state.namespace}, version ${state.version}`,
    `connected to ${state.istiod} (revision ${state.revision})${agoText(state, now)}`,
    `certificate: ${certificateText(certificate, now)}`,
  ];
  return `${facts.join("\n")}\n${table(["TYPE", "STATUS", "CONFIRMED", "LAST ERROR"], rows)}`;
}

function agoText({ connectedAt }: ProxyState, now: Date): string {
  return connectedAt === undefined ? "" : ` for ${ageText(connectedAt, now)}`;
}

function certificateText(expires: string | undefined, now: Date): string {
  if (expires === undefined) return "none";
  const left = untilText(expires, now);
  return left === "EXPIRED" ? `EXPIRED at ${expires}` : `${left} left, until ${expires}`;
}

/** The same for programs: types by their short names, and only what differs. */
export function comparisonData({ state, types, certificateExpires, routesLoadedAt }: Comparison): object {
  return {
    ...state,
    ...(certificateExpires === undefined ? {} : { certificateExpires }),
    ...(routesLoadedAt === undefined ? {} : { routesLoadedAt }),
    matches: matches({ state, types: types ?? [] }),
    comparison: (types ?? []).map(({ type, matches: same, count, resources }) => ({
      type: type.column,
      matches: same,
      resources: count,
      different: resources,
    })),
  };
}

/** Whether the proxy runs what it should, and refused nothing. */
export function matches({ state, types }: Comparison): boolean {
  if (types === undefined || state.status === "NACK" || state.status === "NOT CONNECTED") return false;
  return types.every((type) => type.matches);
}
