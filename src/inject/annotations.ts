import { annotationProblem } from "../model/annotations.ts";
import { InjectionError } from "./config.ts";

/** Throws InjectionError for the first annotation with a value that has no meaning: half an injection would be worse. */
export function checkAnnotations(annotations: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(annotations)) {
    const problem = annotationProblem(name, value);
    if (problem !== undefined) throw new InjectionError(`annotation ${name}: ${problem}`);
  }
}
