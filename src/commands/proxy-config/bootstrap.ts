import { record, sections, text, type View } from "./view.ts";

/** `proxy-config bootstrap`: what a proxy started with; for people only the versions, in istioctl's words. */
export const bootstrap: View = {
  path: "/config_dump",
  columns: [],
  needs: "BootstrapConfigDump",
  items: (dump) => [record(sections(dump, "BootstrapConfigDump")[0], "bootstrap")],
  rows: (items) => items.map((item) => [text(record(item, "node"), "metadata", "ISTIO_VERSION"), envoyVersion(item)]),
  text: (items) =>
    items
      .map((item) => {
        const mesh = text(record(item, "node"), "metadata", "ISTIO_VERSION");
        return `Istio Version: ${mesh}\nEnvoy Version: ${envoyVersion(item)}\n`;
      })
      .join(""),
  data: ([item]) => item,
};

/** `1.40.0/Clean/RELEASE/BoringSSL`: the release, and how it was built as far as it says so. */
function envoyVersion(item: unknown): string {
  const build = record(item, "node", "user_agent_build_version");
  const release = ["major_number", "minor_number", "patch"]
    .map((part) => text(build, "version", part) || "0")
    .join(".");
  const how = ["revision.status", "build.type", "ssl.version"].map((key) => text(build, "metadata", key));
  return [release, ...how.filter((word) => word !== "")].join("/");
}
