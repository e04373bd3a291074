import { embeddedPair } from "../../support/clusters/pair.ts";
import { gatewayApiTests } from "../../support/clusters/story-gateway-api.ts";
import { severalClusters } from "../../support/clusters/story.ts";

// Two embedded clusters (`meshctl up --clusters 2`), made one mesh by the commands of the guide; needs root.

severalClusters("two embedded clusters on one network", () => embeddedPair("pods"));
severalClusters(
  "two embedded clusters that reach each other by gateways alone",
  () => embeddedPair("gateways"),
  gatewayApiTests,
);
