import { upgradeStep } from "../../model/version-skew.ts";
import { category, failed, ok, skipped, verdict } from "../check.ts";
import type { Facts } from "../facts.ts";
import { nameOf, versionNumbers } from "../names.ts";
import { controlPlanePods, tagOf } from "../pods.ts";

/** Minor versions by which proxies may be behind their control plane, as Istio supports it. */
const PROXY_SKEW = 2;

/** Whether the parts of the mesh are near enough to each other. */
export const versionChecks = category("versions", [
  {
    name: "upgrade-path",
    affirmation: "the step from the installed version is supported",
    hint: "go one minor version at a time; go back with meshctl rollback",
    about:
      "Upgrades are tested from one minor version to the next. Going back in place is not: objects may hold what the older version does not know.",
    severity: "error",
    phase: "before",
    run: async (facts) => {
      const { version = "", fromVersion } = facts.context;
      const installed = fromVersion ?? (await installedVersions(facts))[0];
      if (installed === undefined) return skipped("nothing is installed");
      const step = upgradeStep(installed, version);
      if (step === undefined) return skipped(`${installed} and ${version} cannot be compared`);
      return step.problem === undefined ? ok(`from ${installed}`) : failed(step.problem);
    },
  },
  {
    name: "version-client",
    affirmation: "this program and the control plane are of the same version",
    hint: "use the meshctl of the control plane's version, or upgrade the control plane",
    about: "A program of another version may ask for what the control plane does not have, and judges by other rules.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const { version = "" } = facts.context;
      const [own, others] = [versionNumbers(version), await installedVersions(facts)];
      return verdict(
        others
          .filter((other) => {
            const numbers = versionNumbers(other);
            return own !== undefined && numbers !== undefined && (numbers[0] !== own[0] || numbers[1] !== own[1]);
          })
          .map((other) => `the control plane is ${other}, this program ${version}`),
        others.join(", "),
      );
    },
  },
  {
    name: "version-replicas",
    affirmation: "replicas of the control plane are of one version",
    hint: "wait for the update to finish, or look why it hangs: kubectl rollout status -n istio-system deployment/istiod",
    about: "Proxies get configuration of one version or the other, depending on which replica they reach.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const byRevision = new Map<string, Set<string>>();
      for (const { metadata, spec } of await controlPlanePods(facts)) {
        const revision = metadata.labels?.["istio.io/rev"] ?? "default";
        const tags = byRevision.get(revision) ?? new Set();
        byRevision.set(revision, tags.add(tagOf(spec?.containers?.[0]?.image)));
      }
      return verdict(
        [...byRevision]
          .filter(([, tags]) => tags.size > 1)
          .map(([revision, tags]) => `revision ${revision}: ${[...tags].sort().join(", ")}`),
      );
    },
  },
  {
    name: "version-proxies",
    affirmation: `no proxy is newer than its control plane or more than ${PROXY_SKEW} minor versions behind`,
    hint: "restart the workload: kubectl rollout restart deployment NAME -n NAMESPACE",
    about:
      "The control plane writes configuration that proxies of neighbouring versions understand; older ones refuse it.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-ready"],
    run: async (facts) => {
      const proxies = await facts.probe("proxies");
      const plane = versionNumbers((await installedVersions(facts))[0] ?? "");
      if (proxies === undefined || plane === undefined) return skipped("versions cannot be compared");
      return verdict(
        proxies
          .filter(({ version }) => {
            const numbers = versionNumbers(version);
            if (numbers === undefined) return false;
            return numbers[0] !== plane[0] || numbers[1] > plane[1] || plane[1] - numbers[1] > PROXY_SKEW;
          })
          .map(({ namespace, name, version }) => `proxy ${namespace}/${name} is ${version}`),
      );
    },
  },
  {
    name: "version-gateways",
    affirmation: "gateways were installed with the control plane",
    hint: "run meshctl install again: it updates gateways too",
    about: "A gateway of an older installation lacks ports and settings of the new one.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const deployments = await facts.own("Deployment");
      const label = "operator.istio.io/version";
      const plane = new Set(
        deployments
          .filter(({ metadata }) => metadata.labels?.["app"] === "istiod")
          .map(({ metadata }) => metadata.labels?.[label]),
      );
      const old = deployments.filter(
        ({ metadata }) =>
          metadata.labels?.["operator.istio.io/component"]?.endsWith("Gateways") === true &&
          !plane.has(metadata.labels[label]),
      );
      return verdict(
        old.map(
          (deployment) =>
            `Deployment ${nameOf(deployment)} is ${deployment.metadata.labels?.[label] ?? "without version"}`,
        ),
      );
    },
  },
]);

/** Versions of installed control planes: the label that install writes, else the tag of the image. */
async function installedVersions(facts: Facts): Promise<readonly string[]> {
  const deployments = (await facts.list("Deployment")).filter(({ metadata }) => metadata.labels?.["app"] === "istiod");
  const versions = deployments.map(
    ({ metadata, spec }) =>
      metadata.labels?.["operator.istio.io/version"] ?? tagOf(spec?.template?.spec?.containers?.[0]?.image),
  );
  return [...new Set(versions)].filter((version) => version !== "").sort();
}
