import type { Analyzer } from "../analyzer.ts";
import { gatewayApiCertificate } from "./gateway-api-certificate.ts";
import { gatewayApiClass } from "./gateway-api-class.ts";
import { gatewayApiGateway } from "./gateway-api-gateway.ts";
import { gatewayApiGrant } from "./gateway-api-grant.ts";
import { gatewayApiGrantUse } from "./gateway-api-grant-use.ts";
import { gatewayApiPolicy } from "./gateway-api-policy.ts";
import { gatewayApiRoute } from "./gateway-api-route.ts";
import { gatewayApiRouteRules } from "./gateway-api-route-rules.ts";

/** Analyzers of Gateway API: the conditions that a controller would write, and what the API has no condition for. */
export const gatewayApiAnalyzers: readonly Analyzer[] = [
  gatewayApiCertificate,
  gatewayApiClass,
  gatewayApiGateway,
  gatewayApiGrant,
  gatewayApiGrantUse,
  gatewayApiPolicy,
  gatewayApiRoute,
  gatewayApiRouteRules,
];
