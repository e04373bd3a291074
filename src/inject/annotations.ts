import { nearest } from "../base/nearest.ts";
import { annotationRegistry } from "../model/annotation-registry.ts";
import {
  annotationFacts,
  annotationProblem,
  isMeshAnnotation,
  isWithoutEffect,
  labelProblem,
} from "../model/annotations.ts";
import { InjectionError, type PodLike } from "./config.ts";

/** Throws InjectionError for the first annotation or label with a value that has no meaning: half an injection would be worse. */
export function checkMetadata({ annotations = {}, labels = {} }: NonNullable<PodLike["metadata"]>): void {
  for (const [name, value] of Object.entries(annotations)) refuse("annotation", name, annotationProblem(name, value));
  for (const [name, value] of Object.entries(labels)) refuse("label", name, labelProblem(name, value));
}

function refuse(what: string, name: string, problem: string | undefined): void {
  if (problem !== undefined) throw new InjectionError(`${what} ${name}: ${problem}`);
}

/** Annotations of the pod that nothing reads, or that do nothing any more, in words for a person. */
export function annotationRemarks({ annotations = {} }: NonNullable<PodLike["metadata"]>): string[] {
  return Object.keys(annotations).flatMap((name) => {
    if (!isMeshAnnotation(name)) return [];
    if (isWithoutEffect(name)) return [`annotation ${name} has no effect any more`];
    if (annotationFacts(name) !== undefined) return [];
    const meant = nearest(name, Object.keys(annotationRegistry));
    return [`nothing reads annotation ${name}${meant === undefined ? "" : `: did you mean ${meant}?`}`];
  });
}
