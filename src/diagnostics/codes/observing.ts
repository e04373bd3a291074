import { code } from "./code.ts";

/** What is told of the traffic: metrics, traces, logs. */
export const observingCodes = {
  MSH0800: code<{ provider: string; known: string }>({
    name: "TelemetryProviderMissing",
    level: "Error",
    summary: "A Telemetry names a provider that the mesh configuration does not define.",
    message: ({ provider, known }) =>
      `provider ${provider} is not defined in the mesh configuration; defined: ${known === "" ? "none" : known}`,
    hint: () => "Define it under extensionProviders of the mesh configuration, or correct its name.",
  }),
  MSH0801: code<{ provider: string; what: string; why: string }>({
    name: "TelemetryProviderUnfit",
    level: "Warning",
    summary: "A Telemetry names a provider that cannot do what it is named for.",
    message: ({ provider, what, why }) => `provider ${provider} gets no ${what}: ${why}`,
    hint: () => "Name a provider of a fitting kind, whose service the mesh knows.",
  }),
} as const;
