import { revisionSuffix } from "../base/revision.ts";
import type { WorldChange } from "../resources/world.ts";

/** Groups whose objects configure the mesh; on pods and namespaces the label asks for injection. */
const CONFIGURATION = /^([a-z]+\.istio\.io|gateway\.networking\.k8s\.io)\//;

/**
 * Changes as one revision sees them: an object of the mesh's own kinds with label `istio.io/rev` is configuration of that revision
 * alone; for the others it is not there. Without the label it is everybody's. Source: Istio's LabelsInRevision (pkg/config/model.go).
 */
export function ownChanges(changes: readonly WorldChange[], revision: string): readonly WorldChange[] {
  const isForeign = ({ object }: WorldChange): boolean => {
    const of = object.metadata.labels?.["istio.io/rev"];
    return (
      of !== undefined &&
      of !== "" &&
      revisionSuffix(of) !== revisionSuffix(revision) &&
      CONFIGURATION.test(object.apiVersion)
    );
  };
  if (!changes.some(isForeign)) return changes;
  // a label that changed may have made it foreign just now
  return changes.map((change) => (isForeign(change) ? { type: "delete", object: change.object } : change));
}
