import { PROXY_CONTAINER } from "../../model/pods.ts";
import { defineAnalyzer } from "../analyzer.ts";
import { TEMPLATE_KINDS, eachWrittenPod, type WrittenPod } from "./shared-templates.ts";

/** The user that the sidecar runs as: its traffic is not captured, or it would turn round for ever. */
const PROXY_USER = 1337;

/**
 * Traffic of user 1337 goes past the sidecar, in and out. The control plane and gateways run as that user, and have no sidecar.
 */
export const applicationUser = defineAnalyzer({
  name: "application-user",
  summary: "Checks that applications do not run as the user that is reserved for the sidecar.",
  reads: TEMPLATE_KINDS,
  codes: ["IST0144"],
  analyze: ({ world, report }) => {
    eachWrittenPod(world, (pod) => {
      if (CONTROL_PLANE.has(pod.metadata.labels?.["app"] ?? "")) return;
      for (const { path, who } of usersOf(pod)) report(pod.object, [...pod.at, "spec", ...path], "IST0144", { who });
    });
  },
});

const CONTROL_PLANE: ReadonlySet<string> = new Set(["istiod", "istio-operator", "ztunnel", "istio-cni-node"]);

const NOBODY: readonly User[] = [];

interface User {
  readonly path: readonly (string | number)[];
  readonly who: string;
}

function usersOf({ spec }: WrittenPod): readonly User[] {
  if (spec === undefined) return NOBODY;
  const found: User[] = [];
  const containers = spec.containers ?? [];
  const isApp = ({ name }: { readonly name: string }): boolean => name !== PROXY_CONTAINER;
  const inherited = containers.some((each) => isApp(each) && runAsUser(each) === undefined);
  if (runAsUser(spec) === PROXY_USER && inherited)
    found.push({ path: ["securityContext", "runAsUser"], who: "the pod" });
  for (const [index, container] of containers.entries())
    if (isApp(container) && runAsUser(container) === PROXY_USER)
      found.push({
        path: ["containers", index, "securityContext", "runAsUser"],
        who: `container ${container.name}`,
      });
  return found;
}

function runAsUser(holder: { readonly [key: string]: unknown } | undefined): unknown {
  return (holder?.["securityContext"] as { readonly runAsUser?: unknown } | null | undefined)?.runAsUser;
}
