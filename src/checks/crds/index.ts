import { category, failed, ok, verdict } from "../check.ts";
import type { Facts } from "../facts.ts";
import { has, isMine, names } from "../names.ts";
import type { Shapes } from "../shapes.ts";

type Crd = Shapes["CustomResourceDefinition"];

const HINT = "run meshctl install again: it applies the CRDs of this version";

/** Whether the API server knows the mesh's kinds, as this version writes them. */
export const crdChecks = category("CRDs", [
  {
    name: "crds",
    affirmation: "the mesh's CRDs are absent or ours",
    hint: "keep going if they may be replaced by this version's: configuration stays",
    about:
      "CRDs of another installation are taken over by install. Fields that only the other one knows are no longer checked.",
    severity: "warning",
    phase: "before",
    run: async (facts) => {
      const foreign = (await meshCrds(facts)).filter((crd) => !isMine(crd));
      return foreign.length === 0 ? ok() : failed(`installed by something else: ${names(foreign)}`);
    },
  },
  {
    name: "crds-terminating",
    affirmation: "no CRD of the mesh is being deleted",
    hint: "wait until it is gone, or find what holds it: kubectl get crd NAME -o yaml, metadata.finalizers",
    about:
      "A CRD that is being deleted takes no new objects; installing over it fails half way, and its objects go with it.",
    severity: "error",
    run: async (facts) => {
      const going = (await meshCrds(facts)).filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
      return going.length === 0 ? ok() : failed(`being deleted: ${names(going)}`);
    },
  },
  {
    name: "crd-stored-versions",
    affirmation: "no objects are stored in a version that this version's CRDs lack",
    hint: "rewrite the objects with a newer apiVersion, then take the old one out of status.storedVersions",
    about: "The API server refuses a CRD that drops a version in which objects may still be stored.",
    severity: "error",
    phase: "before",
    run: async (facts) => {
      const ours = new Map(renderedCrds(facts).map((crd) => [crd.metadata.name, versionsOf(crd)]));
      return verdict(
        (await meshCrds(facts)).flatMap(({ metadata, status }) => {
          const known = ours.get(metadata.name);
          const lost = (status?.storedVersions ?? []).filter((version) => known?.includes(version) === false);
          return lost.map((version) => `${metadata.name} stores ${version}`);
        }),
      );
    },
  },
  {
    name: "crd-conversion",
    affirmation: "no CRD of the mesh needs a conversion webhook",
    hint: "remove spec.conversion of the CRD together with the installation that put it there",
    about: "Reading objects then depends on a service of an older installation; when it goes, lists of the kind fail.",
    severity: "error",
    run: async (facts) => {
      const with_ = (await meshCrds(facts)).filter(({ spec }) => spec?.conversion?.strategy === "Webhook");
      return with_.length === 0 ? ok() : failed(`converted by a webhook: ${names(with_)}`);
    },
  },
  {
    name: "crd-names",
    affirmation: "no other CRD has the names of the mesh's kinds",
    hint: "remove the CRD that took the name, or its short names",
    about: "Of two CRDs with the same plural or short names in a group the second is not served.",
    severity: "error",
    run: async (facts) => {
      const clash = (await meshCrds(facts)).filter(({ status }) => has(status?.conditions, "NamesAccepted", "False"));
      return clash.length === 0 ? ok() : failed(`names not accepted: ${names(clash)}`);
    },
  },
  {
    name: "crds-present",
    affirmation: "every CRD of the mesh is there",
    hint: HINT,
    about: "Objects of a kind without CRD cannot be created, and the control plane does not see them.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const there = new Set((await meshCrds(facts)).map(({ metadata }) => metadata.name));
      const missing = renderedCrds(facts).filter(({ metadata }) => !there.has(metadata.name));
      return missing.length === 0 ? ok(`${there.size}`) : failed(`missing: ${names(missing)}`);
    },
  },
  {
    name: "crds-established",
    affirmation: "every CRD of the mesh is served",
    hint: "look at the conditions of the CRD: kubectl get crd NAME -o yaml",
    about: "A CRD that is there but not established is not served: its kind does not exist yet.",
    severity: "error",
    phase: "after",
    run: async (facts) => {
      const idle = (await meshCrds(facts)).filter(({ status }) => has(status?.conditions, "Established", "False"));
      return idle.length === 0 ? ok() : failed(`not established: ${names(idle)}`);
    },
  },
  {
    name: "crd-versions",
    affirmation: "every CRD serves the versions that this program writes",
    hint: HINT,
    about: "Manifests with a version that the CRD does not serve are refused: no matches for kind.",
    severity: "error",
    phase: "after",
    run: async (facts) => {
      const there = new Map((await meshCrds(facts)).map((crd) => [crd.metadata.name, versionsOf(crd)]));
      return verdict(
        renderedCrds(facts).flatMap((crd) =>
          versionsOf(crd)
            .filter((version) => there.get(crd.metadata.name)?.includes(version) === false)
            .map((version) => `${crd.metadata.name} lacks ${version}`),
        ),
      );
    },
  },
  {
    name: "crds-current",
    affirmation: "CRDs are those of this version",
    hint: HINT,
    about: "Older CRDs lack newer fields: the API server drops them without a word when objects are applied.",
    severity: "warning",
    phase: "after",
    run: async (facts) => {
      const { version } = facts.context;
      const old = (await meshCrds(facts)).filter(({ metadata }) => {
        const label = metadata.labels?.["operator.istio.io/version"];
        return version !== undefined && label !== undefined && label !== version;
      });
      const found = [...new Set(old.map(({ metadata }) => metadata.labels?.["operator.istio.io/version"] ?? ""))];
      return old.length === 0 ? ok() : failed(`${old.length} are of ${found.sort().join(", ")}`);
    },
  },
]);

/** CRDs of the mesh's groups; those of operators (install.istio.io) are not configuration. */
async function meshCrds(facts: Facts): Promise<readonly Crd[]> {
  return (await facts.list("CustomResourceDefinition")).filter(
    ({ metadata: { name } }) => /\.(?:istio|meshctl)\.io$/.test(name) && !name.endsWith(".install.istio.io"),
  );
}

function renderedCrds({ context }: Facts): readonly Crd[] {
  return (context.rendered ?? []).filter(({ kind }) => kind === "CustomResourceDefinition") as readonly Crd[];
}

function versionsOf({ spec }: Crd): readonly string[] {
  return (spec?.versions ?? []).filter(({ served }) => served !== false).map(({ name }) => name);
}
