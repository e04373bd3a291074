import { MeshError } from "../base/errors.ts";
import { InjectionError, type PodLike } from "../inject/config.ts";
import { type PodPlace, podsOf, type TemplatePaths, withPod } from "../inject/documents.ts";
import type { InjectionDecision } from "../model/injection.ts";
import type { SourceText } from "../resources/manifests.ts";
import { readCommon, UNCOMMON } from "../resources/yaml-common.ts";
import { type DocumentText, documentsOf } from "../resources/yaml-documents.ts";
import { syntaxHint } from "../resources/yaml-hints.ts";
import { rewriteYaml } from "../resources/yaml-rewrite.ts";
import { readValues, YamlSyntaxError } from "../resources/yaml-values.ts";

/** A text with its documents read. */
export interface ReadSource extends SourceText {
  readonly documents: readonly (DocumentText & { readonly value: unknown })[];
}

/** What became of one workload. */
export interface WorkloadResult {
  readonly file: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly decision: InjectionDecision;
  /** Whether its text is another now; false for what was injected just so before. */
  readonly isChanged: boolean;
}

/** A text after its workloads were gone through. */
export interface ChangedText {
  readonly file: string;
  readonly text: string;
  readonly workloads: readonly WorkloadResult[];
  /** Documents without workloads: they keep every byte. */
  readonly others: number;
  /** Lines of documents whose text could not be edited: they were written anew, without their comments. */
  readonly rewritten: readonly number[];
}

/** What to do with each pod, and where pods are. */
export interface TextChange {
  readonly change: (place: PodPlace) => { readonly pod: PodLike; readonly decision: InjectionDecision };
  /** Of documents that name none. */
  readonly namespace: string;
  readonly templatePaths: TemplatePaths;
}

/** Reads the documents of a text. Throws MeshError that names the place of what is no YAML. */
export function readSource(source: SourceText): ReadSource {
  return {
    ...source,
    documents: documentsOf(source.text).map((part) => ({ ...part, value: valueOf(part, source.file) })),
  };
}

function valueOf({ text, line }: DocumentText, file: string): unknown {
  const value = readCommon(text);
  if (value !== UNCOMMON) return value;
  try {
    const [first, ...more] = readValues(text);
    if (more.length === 0) return first;
    throw unreadable(
      `${file}:${line + 1} holds a document that ends in the middle (...)`,
      "Separate documents by --- lines.",
    );
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    throw unreadable(
      `${file}:${line + error.line}:${error.column} cannot be read as YAML: ${error.message}`,
      syntaxHint(error),
    );
  }
}

function unreadable(words: string, hint: string): MeshError {
  return new MeshError("unreadable-yaml", words, { hint: `${hint} Nothing was printed.` });
}

/** A text with its pods changed; every byte that the change does not touch is as it was. Throws MeshError for bad annotations. */
export function changeText({ file, text, documents }: ReadSource, how: TextChange): ChangedText {
  const workloads: WorkloadResult[] = [];
  const rewritten: number[] = [];
  let others = 0;
  let out = "";
  let done = 0;
  for (const { text: part, start, line, value } of documents) {
    const places = podsOf(value, { namespace: how.namespace, custom: how.templatePaths });
    if (places.length === 0) others += 1;
    const changed = places.reduce<unknown>((document, place) => {
      const { pod, decision } = changedPod(file, place, how);
      const { kind, namespace, name } = place;
      workloads.push({ file, kind, namespace, name, decision, isChanged: pod !== place.pod });
      return pod === place.pod ? document : withPod(document, place.path, pod);
    }, value);
    if (changed === value) continue;
    const made = rewriteYaml(part, value, changed);
    if (!made.kept) rewritten.push(line + 1);
    out += text.slice(done, start) + made.text;
    done = start + part.length;
  }
  return { file, text: out + text.slice(done), workloads, others, rewritten };
}

function changedPod(file: string, place: PodPlace, { change }: TextChange): ReturnType<TextChange["change"]> {
  try {
    return change(place);
  } catch (error) {
    if (!(error instanceof InjectionError)) throw error;
    const { hint = "Repair the annotation or the injector's configuration." } = error.problem;
    const what = `${place.kind} ${place.namespace}/${place.name}`;
    throw new MeshError("not-injectable", `${file}: ${what}: ${error.message}`, {
      hint: `${hint}${/[.?]$/.test(hint) ? "" : "."} Nothing was printed.`,
    });
  }
}
