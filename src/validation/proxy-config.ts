import type { ProxyConfigSpec } from "../gen/schema-types.ts";
import type { Rules } from "./rule.ts";
import { selectorRules } from "./shared/targets.ts";

/** Rules of ProxyConfig. */
export const proxyConfigRules: Rules<ProxyConfigSpec> = [
  ...selectorRules<ProxyConfigSpec>("proxy-config"),
  {
    name: "proxy-config-concurrency",
    holds: "The number of threads is not negative.",
    severity: "error",
    check: ({ concurrency }, report) => {
      if ((concurrency ?? 0) < 0)
        report(["concurrency"], `expected 0 or more, got ${concurrency}`, "Write 0 for all CPUs.");
    },
  },
];
