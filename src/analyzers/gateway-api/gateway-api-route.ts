import { ruleProblems } from "../../compile/gateway-api/route-status.ts";
import { defineAnalyzer } from "../analyzer.ts";
import { reportProblems, withCodes } from "./shared-report.ts";

const CODES = [
  "MSH0719",
  "MSH0720",
  "MSH0721",
  "MSH0722",
  "MSH0723",
  "MSH0724",
  "MSH0725",
  "MSH0726",
  "MSH0727",
] as const;

/** What a controller would write as conditions of routes. Routes whose parents are all another controller's are left alone. */
export const gatewayApiRoute = defineAnalyzer({
  name: "gateway-api-route",
  summary:
    "Computes the conditions of routes: whether Gateways take them, and whether their backends exist and are granted.",
  reads: [
    "ConfigMap",
    "GRPCRoute",
    "GatewayClass",
    "HTTPRoute",
    "KubernetesGateway",
    "Namespace",
    "ReferenceGrant",
    "Service",
    "ServiceEntry",
    "TCPRoute",
    "TLSRoute",
  ],
  codes: CODES,
  analyze: (input) => {
    const { world, model } = input;
    for (const route of model.gatewayApi.routes()) {
      const object = world.get(route.kind, route.ref.namespace, route.ref.name);
      const outcomes = model.gatewayApi
        .outcomes(route)
        .filter(({ controller, problem }) => controller !== undefined || problem !== undefined);
      if (object === undefined || outcomes.length === 0) continue;
      const parents = outcomes.flatMap(({ problem }) => problem ?? []);
      reportProblems(input, object, withCodes([...parents, ...ruleProblems(model, route)], CODES));
    }
  },
});
