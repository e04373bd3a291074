import type { Provenance } from "./provenance.ts";

/**
 * Where in a chain an extension stands: before tokens are read (authn), between those and authorization (authz), after
 * authorization (stats), or after all of these (last).
 */
export type ExtensionPhase = "authn" | "authz" | "stats" | "last";

/** The filter that an extension is in a chain. Its settings are a resource of their own: changing them leaves listeners alone. */
export interface ExtensionFilter {
  /** Name of the filter and of the resource: `extensions.istio.io/trafficextension/shop.headers` */
  readonly name: string;
  readonly level: "http" | "network";
  readonly phase: ExtensionPhase;
  readonly language: "wasm" | "lua";
  /** Who has its settings: the agent when a module is to be fetched, else the control plane. */
  readonly from: "agent" | "control-plane";
}

/** The settings of an extension. */
export type Extension = {
  readonly name: string;
  readonly provenance: Provenance;
} & (
  | { readonly language: "lua"; readonly code: string }
  | { readonly language: "wasm"; readonly level: ExtensionFilter["level"]; readonly module: WasmModule }
);

/** A WebAssembly module and how it runs. */
export interface WasmModule {
  /** `shop.headers`: its name in logs. */
  readonly plugin: string;
  /** Name by which it finds its code in the binary; "" for none. */
  readonly rootId: string;
  /** With a scheme: `oci://`, `http://`, `https://` or `file://`. */
  readonly url: string;
  /** 64 hex digits; absent: taken as it comes. */
  readonly sha256?: string;
  /** Absent: as its URL says. */
  readonly pullPolicy?: "IfNotPresent" | "Always";
  /** Docker's configuration with the registry's credentials, as JSON; "" when its Secret is not there. Absent: it has none. */
  readonly pullSecret?: string;
  /** What it gets when it starts, as JSON. */
  readonly settings?: string;
  /** What happens to traffic when it cannot run. */
  readonly onFailure: "refuse" | "pass" | "restart";
  readonly environment: Readonly<Record<string, string>>;
  /** Variables of the proxy's environment that it sees. */
  readonly hostVariables: readonly string[];
  /** Changes with the object. */
  readonly version: string;
}
