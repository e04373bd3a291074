import type { NameEntry } from "../ir/names.ts";
import type { Messages } from "../wire/codec.ts";

/** The only resource of its type. */
export const NAME_TABLE = "nametable";

/** The names that an agent answers, as one message: agents take the whole table or none. */
export function buildNameTable(entries: readonly NameEntry[]): Messages["istio.networking.nds.v1.NameTable"] {
  return {
    table: Object.fromEntries(
      entries.map(({ host, addresses, shortName, namespace }) => [
        host,
        shortName === undefined
          ? { ips: addresses, registry: "External" }
          : { ips: addresses, registry: "Kubernetes", shortname: shortName, namespace },
      ]),
    ),
  };
}
