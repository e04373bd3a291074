import { realPair } from "../../support/clusters/pair.ts";
import { severalClusters } from "../../support/clusters/story.ts";

// Two real Kubernetes nodes side by side, made one mesh by the commands of the guide; needs root and what the node tier needs.

severalClusters("two real clusters on one network", () => realPair("pods", [20, 21]));
severalClusters("two real clusters that reach each other by gateways alone", () => realPair("gateways", [22, 23]));
