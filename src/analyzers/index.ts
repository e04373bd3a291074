import type { Analyzer } from "./analyzer.ts";
import { istioAnalyzers } from "./istio/index.ts";

/** Every analyzer, sorted by name. Each folder has its list; test/contract/analyzers.test.ts compares them with the files. */
export const analyzers: readonly Analyzer[] = [...istioAnalyzers].toSorted((a, b) => (a.name < b.name ? -1 : 1));
