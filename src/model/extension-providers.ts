import type { MeshConfig } from "./mesh-config.ts";

type Loose = Readonly<Record<string, unknown>>;

/** The settings of one kind (`envoyExtAuthzGrpc` …) of the first extension provider with this name; undefined: none such. */
export function extensionProvider(
  config: Pick<MeshConfig, "raw">,
  name: string,
): { readonly kind: string; readonly settings: Loose } | undefined {
  const { extensionProviders } = config.raw;
  if (!Array.isArray(extensionProviders)) return undefined;
  const found = (extensionProviders as unknown[]).find((one): one is Loose => isRecord(one) && one["name"] === name);
  const entry = Object.entries(found ?? {}).find(([key, value]) => key !== "name" && isRecord(value));
  return entry === undefined ? undefined : { kind: entry[0], settings: entry[1] as Loose };
}

function isRecord(value: unknown): value is Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
