import fc from "fast-check";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { createExposition } from "../../src/agent/exposition.ts";

// The library that meshd uses says what the text is; the agent does without it for its memory.
const BOUNDS = [1, 5, 10];
const label = fc.option(fc.string({ minLength: 1 }), { nil: undefined });
const event = fc.record({ label: fc.string({ minLength: 1 }), value: fc.integer({ min: -2, max: 20 }) });

test("the text is the library's, whatever the labels, after any counts", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event),
      fc.dictionary(fc.constantFrom("a", "b", "c"), fc.string()),
      label,
      async (events, labels, seen) => {
        const registers = [new Registry()];
        const ours = createExposition();
        const named = (
          name: string,
          labelNames: readonly string[] = [],
        ): { name: string; help: string; labelNames: string[]; registers: Registry[] } => ({
          name,
          help: `Help of ${name}.`,
          labelNames: [...labelNames],
          registers,
        });
        const help = (name: string): string => `Help of ${name}.`;
        const counters = [new Counter(named("plain")), new Counter(named("split", ["kind"]))] as const;
        const own = [ours.counter("plain", help("plain")), ours.counter("split", help("split"), "kind")] as const;
        const sizes = [
          new Histogram({ ...named("size"), buckets: BOUNDS }),
          new Histogram({ ...named("sizes", ["kind"]), buckets: BOUNDS }),
        ] as const;
        const ownSizes = [
          ours.histogram({ name: "size", help: help("size") }, BOUNDS),
          ours.histogram({ name: "sizes", help: help("sizes"), label: "kind" }, BOUNDS),
        ] as const;
        const gauge = new Gauge(named("gauge", Object.keys(labels)));
        if (seen !== undefined) gauge.set(labels, seen.length);
        ours.gauge("gauge", help("gauge"), labels, () => (seen === undefined ? undefined : seen.length));
        for (const { label: kind, value } of events) {
          counters[0].inc();
          own[0].inc();
          counters[1].inc({ kind });
          own[1].inc(kind);
          sizes[0].observe(value);
          ownSizes[0].observe(value);
          sizes[1].observe({ kind }, value);
          ownSizes[1].observe(value, kind);
        }
        expect(linesOf(ours.text())).toEqual(linesOf(await registers[0]!.metrics()));
      },
    ),
  );
});

/** A label-less gauge that was never set is 0 for the library; the order of labels is nobody's promise. */
function linesOf(text: string): readonly string[] {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("gauge 0"));
  return lines.map((line) =>
    line.replace(
      /\{(.*)\}/,
      (_, inner: string) =>
        `{${inner
          .split(/,(?=\w+=")/)
          .toSorted()
          .join(",")}}`,
    ),
  );
}
