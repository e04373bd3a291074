import { list, record, sections, sorted, text, type View } from "./view.ts";

/** `proxy-config ecds`: filters whose configuration is delivered apart from the listeners that hold them. */
export const ecds: View = {
  path: "/config_dump",
  columns: ["ECDS NAME", "TYPE"],
  items: (dump) =>
    sections(dump, "EcdsConfigDump").flatMap((section) =>
      list(section, "ecds_filters").map((entry) => record(entry, "ecds_filter")),
    ),
  rows: (items) =>
    sorted(
      items.map((filter) => {
        const config = record(filter, "typed_config");
        const type = text(config, "type_url") || text(config, "@type");
        return [text(filter, "name"), type.split(".").at(-1) ?? ""];
      }),
    ),
};
