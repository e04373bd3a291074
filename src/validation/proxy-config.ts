import type { ProxyConfigSpec } from "../gen/schema-types.ts";
import type { Rules } from "./rule.ts";
import { selectorRules } from "./shared/targets.ts";

/** Rules of ProxyConfig. */
export const proxyConfigRules: Rules<ProxyConfigSpec> = [...selectorRules<ProxyConfigSpec>("proxy-config")];
