import type { KindTypes } from "../../resources/kinds.ts";
import { refOf, refText } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/**
 * At a gateway the VirtualServices of one host are put together: the older one's routes first, routes for everything last.
 * What an older one takes first, a younger one never gets. Within one VirtualService this is IST0130.
 */
export const gatewayVirtualservices = defineAnalyzer({
  name: "gateway-virtualservices",
  summary: "Finds routes that are hidden at a gateway by another VirtualService of the same host.",
  reads: ["Gateway", "VirtualService", "ConfigMap"],
  codes: ["MSH0104"],
  analyze: (input) => {
    for (const gateway of input.world.list("Gateway")) checkGateway(input, gateway);
  },
});

type Input = AnalyzerInput<"Gateway" | "VirtualService" | "ConfigMap", "MSH0104">;
type VirtualService = KindTypes["VirtualService"];
type Rule = NonNullable<NonNullable<VirtualService["spec"]>["http"]>[number];
type Match = NonNullable<Rule["match"]>[number];

function checkGateway(input: Input, gateway: KindTypes["Gateway"]): void {
  const { namespace = "", name } = gateway.metadata;
  const servers = (gateway.spec?.servers ?? []).flatMap(({ hosts }) => hosts);
  const byHost = new Map<string, Set<VirtualService>>();
  for (const { object, host } of input.model.virtualServices.ofGatewayServer({ namespace, name }, servers)) {
    const there = byHost.get(host);
    if (there === undefined) byHost.set(host, new Set([object]));
    else there.add(object);
  }
  for (const [host, objects] of byHost)
    if (objects.size > 1) checkHost(input, { host, gateway: `${namespace}/${name}` }, objects);
}

interface Place {
  readonly host: string;
  /** `namespace/name` */
  readonly gateway: string;
}

/** What older objects take at a host, by what they ask. */
interface Taken {
  readonly exact: Map<string, VirtualService>;
  readonly prefixes: Map<string, VirtualService>;
}

function checkHost(input: Input, place: Place, objects: Iterable<VirtualService>): void {
  const taken: Taken = { exact: new Map(), prefixes: new Map() };
  for (const object of objects)
    for (const [index, rule] of (object.spec?.http ?? []).entries())
      for (const [position, match] of entriesOf(rule).entries()) {
        if (!isFor(match, place.gateway, object)) continue;
        const other = take(taken, match, object);
        const path = ["spec", "http", index, ...(rule.match === undefined ? [] : ["match", position])];
        if (other === object) continue;
        const args = { ...place, other: refText(refOf(other)), match: wordsOf(match) };
        const related = { object: other, path: ["spec", "hosts"], words: "the older VirtualService" };
        input.report(object, path, "MSH0104", args, related);
      }
}

/** Who gets the requests of a match: the first that asks the same, or for a prefix of its path and nothing else. */
function take({ exact, prefixes }: Taken, match: Match, object: VirtualService): VirtualService {
  const key = keyOf(match);
  const owner = exact.get(key) ?? coveringPrefix(prefixes, match) ?? object;
  if (!exact.has(key)) exact.set(key, object);
  const prefix = prefixOf(match);
  if (prefix !== undefined && !prefixes.has(prefix)) prefixes.set(prefix, object);
  return owner;
}

/** A rule without match takes everything, as one empty entry does. */
function entriesOf({ match }: Rule): readonly Match[] {
  return match === undefined || match.length === 0 ? [{}] : match;
}

function isFor({ gateways }: Match, gateway: string, { metadata }: VirtualService): boolean {
  if (gateways === undefined || gateways.length === 0) return true;
  return gateways.some((name) => (name.includes("/") ? name : `${metadata.namespace ?? ""}/${name}`) === gateway);
}

/** What a match asks of a request, the same text for the same question. */
function keyOf(match: Match): string {
  const { name: _name, statPrefix: _prefix, gateways: _gateways, ...asked } = match;
  const { uri } = asked;
  const all = uri?.prefix === "/" || uri?.regex === ".*";
  const { uri: _uri, ...others } = asked;
  return canonical(all ? others : asked);
}

function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)
    .join(",")}}`;
}

/** The prefix of a match that asks for nothing else; `/` is sorted last and hides nothing. */
function prefixOf(match: Match): string | undefined {
  const prefix = match.uri?.prefix;
  if (prefix === undefined || prefix === "/" || match.ignoreUriCase === true) return undefined;
  return keyOf(match) === canonical({ uri: { prefix } }) ? prefix : undefined;
}

function coveringPrefix(prefixes: ReadonlyMap<string, VirtualService>, { uri }: Match): VirtualService | undefined {
  const path = uri?.exact ?? uri?.prefix ?? "";
  for (let length = path.length; length > 1; length--) {
    const found = prefixes.get(path.slice(0, length));
    if (found !== undefined) return found;
  }
  return undefined;
}

function wordsOf({ uri, ...others }: Match): string {
  const kind = uri?.exact !== undefined ? "exact" : uri?.prefix !== undefined ? "prefix" : "regex";
  const path = uri === undefined ? "all paths" : `${kind} ${uri.exact ?? uri.prefix ?? uri.regex ?? ""}`;
  const more = Object.keys(others).filter((key) => !["name", "statPrefix", "gateways"].includes(key));
  return more.length === 0 ? path : `${path}, ${more.join(", ")}`;
}
