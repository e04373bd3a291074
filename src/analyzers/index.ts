import type { Analyzer } from "./analyzer.ts";
import { fieldWithoutEffect } from "./field-without-effect.ts";
import { gatewayReference } from "./gateway-reference.ts";
import { virtualserviceDestination } from "./virtualservice-destination.ts";

/** Every analyzer, sorted by name; test/contract/analyzers.test.ts compares the list with the folder. */
export const analyzers: readonly Analyzer[] = [fieldWithoutEffect, gatewayReference, virtualserviceDestination];
