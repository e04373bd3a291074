import { category, failed, ok, skipped, verdict } from "../check.ts";
import { names } from "../names.ts";
import { injectedNamespaces } from "../pods.ts";

const ENFORCE = "pod-security.kubernetes.io/enforce";

/** Whether Kubernetes admits pods with proxies. */
export const admissionChecks = category("admission", [
  {
    name: "pod-security",
    affirmation: "injected namespaces admit the init container that redirects traffic",
    hint: "set pod-security.kubernetes.io/enforce=privileged on the namespace, or redirect traffic with a CNI plugin",
    about:
      "The init container istio-init needs the capabilities NET_ADMIN and NET_RAW. The levels baseline and restricted refuse them, so no pod with a sidecar starts.",
    severity: "error",
    run: async (facts) => {
      const nodes = await facts.list("Node");
      const isExplicit =
        nodes.length > 0 && nodes.every(({ metadata }) => metadata.labels?.["meshctl.io/interception"] === "none");
      if (isExplicit) return skipped("nothing is redirected on these nodes");
      const strict = (await injectedNamespaces(facts)).filter(({ metadata }) =>
        ["baseline", "restricted"].includes(metadata.labels?.[ENFORCE] ?? ""),
      );
      return verdict(
        strict.map(({ metadata }) => `namespace ${metadata.name} enforces ${metadata.labels?.[ENFORCE] ?? ""}`),
      );
    },
  },
  {
    name: "system-namespaces",
    affirmation: "namespaces of Kubernetes are not labelled for injection",
    hint: "take the label off: kubectl label namespace kube-system istio-injection- istio.io/rev-",
    about:
      "The injector leaves these namespaces alone whatever their label says; a label there is a wish that is never fulfilled, and with other injectors it stops the cluster's own pods.",
    severity: "warning",
    run: async (facts) => {
      const labelled = (await facts.list("Namespace")).filter(
        ({ metadata }) =>
          metadata.name.startsWith("kube-") &&
          (metadata.labels?.["istio-injection"] === "enabled" || metadata.labels?.["istio.io/rev"] !== undefined),
      );
      return labelled.length === 0 ? ok() : failed(`labelled: ${names(labelled)}`);
    },
  },
]);
