import { record, sections, text, type View } from "./view.ts";

/** `proxy-config bootstrap`: what a proxy started with; the table has only the versions. */
export const bootstrap: View = {
  path: "/config_dump",
  columns: ["MESH VERSION", "ENVOY VERSION"],
  items: (dump) => [record(sections(dump, "BootstrapConfigDump")[0], "bootstrap")],
  rows: (items) =>
    items.map((item) => {
      const node = record(item, "node");
      const version = record(node, "user_agent_build_version", "version");
      const envoy = ["major_number", "minor_number", "patch"].map((part) => text(version, part) || "0").join(".");
      return [text(node, "metadata", "ISTIO_VERSION"), envoy];
    }),
  data: ([item]) => item,
};
