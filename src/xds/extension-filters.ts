import { AGENT_SDS } from "../base/agent-sds.ts";
import type { ExtensionFilter, ExtensionPhase } from "../ir/extension.ts";
import type { Messages } from "../wire/codec.ts";
import type { ChainContext, ConfigSource } from "./types.ts";

type ExtensionSource = Messages["envoy.config.core.v3.ExtensionConfigSource"];

const TYPES: Readonly<Record<`${ExtensionFilter["level"]} ${ExtensionFilter["language"]}`, readonly string[]>> = {
  // instead of a module that cannot be fetched comes a rule that lets all traffic through, or none
  "http wasm": ["envoy.extensions.filters.http.wasm.v3.Wasm", "envoy.extensions.filters.http.rbac.v3.RBAC"],
  "network wasm": ["envoy.extensions.filters.network.wasm.v3.Wasm", "envoy.extensions.filters.network.rbac.v3.RBAC"],
  "http lua": ["envoy.extensions.filters.http.lua.v3.Lua"],
  "network lua": [],
};

/** It waits as long as it takes: an extension may be what guards. */
const ADS: ConfigSource = { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" };

/** The extensions of a chain in some phases, by name and where the settings come from, in the order in which they are passed. */
export function extensionsIn(
  { extensions = [] }: ChainContext,
  level: ExtensionFilter["level"],
  phases: readonly ExtensionPhase[],
): readonly { readonly name: string; readonly config_discovery: ExtensionSource }[] {
  return phases.flatMap((phase) =>
    extensions
      .filter((filter) => filter.level === level && filter.phase === phase)
      .map(({ name, language, from }) => ({
        name,
        config_discovery: {
          config_source: from === "agent" ? AGENT_SDS : ADS,
          type_urls: TYPES[`${level} ${language}`].map((type) => `type.googleapis.com/${type}`),
        },
      })),
  );
}
