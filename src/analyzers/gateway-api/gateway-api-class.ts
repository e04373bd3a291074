import { classProblems } from "../../compile/gateway-api/class-status.ts";
import { defineAnalyzer } from "../analyzer.ts";
import { reportProblems, withCodes } from "./shared-report.ts";

const CODES = ["MSH0701", "MSH0702"] as const;

/** Classes of Istio are there in every mesh; others come with their controllers, often not in the same files. */
export const gatewayApiClass = defineAnalyzer({
  name: "gateway-api-class",
  summary: "Checks that the classes of Gateways exist, and the parameters of classes.",
  reads: ["ConfigMap", "GatewayClass", "KubernetesGateway"],
  codes: CODES,
  analyze: (input) => {
    const { world, model } = input;
    for (const object of world.list("GatewayClass"))
      reportProblems(input, object, withCodes(classProblems(model, object), CODES));
    for (const gateway of world.list("KubernetesGateway")) {
      if (model.gatewayApi.classes.of(gateway).known) continue;
      const args = {
        className: gateway.spec?.gatewayClassName ?? "",
        known: model.gatewayApi.classes.names().join(", "),
      };
      const needs = { kind: "GatewayClass", namespace: "" } as const;
      reportProblems(input, gateway, [{ code: "MSH0701", path: ["spec", "gatewayClassName"], args, needs }]);
    }
  },
});
