import type { Analyzer } from "../analyzer.ts";
import { fieldWithoutEffect } from "./field-without-effect.ts";
import { gatewayReference } from "./gateway-reference.ts";
import { virtualserviceDestination } from "./virtualservice-destination.ts";

/** Analyzers of the conditions that Istio has codes for. */
export const istioAnalyzers: readonly Analyzer[] = [fieldWithoutEffect, gatewayReference, virtualserviceDestination];
