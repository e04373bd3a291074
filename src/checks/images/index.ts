import { HOW_TO_BRING_IMAGES, type MissingImage, missingImages } from "../../model/mesh-images.ts";
import { category, type Outcome, skipped, verdict } from "../check.ts";
import type { Facts } from "../facts.ts";

/** Whether nodes have the images that no registry has. */
export const imageChecks = category("images", [
  {
    name: "images-on-nodes",
    affirmation: "nodes have the images that come from no registry",
    hint: HOW_TO_BRING_IMAGES,
    about:
      "Without a hub the mesh runs images that are built from this repository, and no registry serves them: a pod whose node lacks one stays in ImagePullBackOff. Nodes tell of images that were loaded just now within 40 seconds.",
    severity: "error",
    phase: "before",
    run: (facts) =>
      judge(facts, (missing) =>
        missing.filter(({ isNowhere }) => isNowhere).map(({ image }) => `no node has ${image}`),
      ),
  },
  {
    name: "images-on-every-node",
    affirmation: "every node that runs pods has the images that come from no registry",
    hint: HOW_TO_BRING_IMAGES,
    about:
      "Pods that land on a node without the image do not start there; injected pods can land on any. Nodes that list fifty images or none are not judged: their list may be cut.",
    severity: "warning",
    phase: "before",
    needs: ["images-on-nodes"],
    run: (facts) =>
      judge(facts, (missing) => missing.map(({ image, without }) => `${image} is not on ${without.join(", ")}`)),
  },
]);

async function judge(facts: Facts, words: (missing: readonly MissingImage[]) => readonly string[]): Promise<Outcome> {
  const { rendered } = facts.context;
  if (rendered === undefined) return skipped("it is not known what would be installed");
  const missing = missingImages(rendered, await facts.list("Node"));
  return missing === undefined ? skipped("no node tells which images it has") : verdict(words(missing));
}
