import type { Messages } from "../wire/codec.ts";

type Predicate = Messages["envoy.config.listener.v3.ListenerFilterChainMatchPredicate"];

/** A predicate that is true on these destination ports; undefined for none. Neighbouring ports share a range. */
export function onPorts(ports: readonly number[]): Predicate | undefined {
  const rules = ranges(ports).map((range): Predicate => ({ destination_port_range: range }));
  return rules.length > 1 ? { or_match: { rules } } : rules[0];
}

/** Half-open ranges, as Envoy wants them. */
function ranges(ports: readonly number[]): { start: number; end: number }[] {
  const out: { start: number; end: number }[] = [];
  for (const port of [...new Set(ports)].sort((a, b) => a - b)) {
    const last = out.at(-1);
    if (last !== undefined && last.end === port) last.end = port + 1;
    else out.push({ start: port, end: port + 1 });
  }
  return out;
}
