import { VERSION } from "../../gen/version.ts";
import type { JsonObject } from "./json.ts";

/** What /version says: the Kubernetes whose behaviour the contract suite compares with, and that it is embedded. */
export function kubeVersion(): JsonObject {
  return {
    major: "1",
    minor: "36",
    gitVersion: `v1.36.3+meshctl.${VERSION}`,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "none",
    compiler: "none",
    platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
  };
}
