import { type BundleFiles, filePath } from "../../bundle/files.ts";
import { type BundleContents, type BundledCluster, CONTENTS, INDEX } from "../../bundle/format.ts";
import { createRedactor, type Redactor } from "../../bundle/redact.ts";
import { VERSION } from "../../gen/version.ts";
import type { Recorded } from "../../bundle/record.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { KubeObject } from "../../resources/object.ts";
import type { Collected } from "./collect.ts";
import { indexPage } from "./index-page.ts";

/** What bounds a bundle, and what it is of. */
export interface WriteOptions {
  readonly context: Cluster["context"];
  readonly createdAt: Date;
  /** The mesh's further clusters, which stand in folders of their own. */
  readonly more?: readonly BundledCluster[];
  /** Bytes of all files together; what does not fit is left out and named. */
  readonly maxBytes: number;
  /** Whether objects of a namespace are wanted; cluster-scoped ones have none. */
  readonly wants: (namespace: string) => boolean;
}

/** The files of a bundle, without secrets: contents and index page first. */
export function bundleFiles(
  collected: Collected,
  options: WriteOptions,
): { readonly files: BundleFiles; readonly contents: BundleContents } {
  const redactor = createRedactor();
  const room = createRoom(options.maxBytes, redactor);
  const { record } = collected;
  const commands = collected.commands.map(({ line, exitCode, out, err }) => {
    const file = room.keep(`output of meshctl ${line}`, filePath("commands", `${line.replaceAll(" ", "-")}.json`), out);
    return { line, exitCode, file: file ?? "", ...(err === "" ? {} : { words: redactor.text(err) }) };
  });
  const parts = {
    kinds: kindsOf(record, room, (object) =>
      object.metadata.namespace === undefined || options.wants(object.metadata.namespace)
        ? redactor.object(object)
        : undefined,
    ),
    answers: answersOf(record, room),
    logs: logsOf(record, room),
  };
  const contents: BundleContents = {
    format: 1,
    meshctl: VERSION,
    createdAt: options.createdAt.toISOString(),
    context: options.context,
    ...(options.more === undefined ? {} : { more: options.more }),
    ...(record.version === undefined ? {} : { version: record.version }),
    ...parts,
    access: Object.fromEntries(record.access),
    commands,
    leftOut: [...collected.leftOut, ...room.leftOut()],
    redacted: redactor.counts(),
  };
  const first: [string, Buffer][] = [
    [CONTENTS, Buffer.from(`${redactor.text(JSON.stringify(contents, undefined, 1))}\n`)],
    [INDEX, Buffer.from(indexPage(contents, room.files()))],
  ];
  return { files: new Map([...first, ...room.files()]), contents };
}

function kindsOf(
  record: Recorded,
  room: Room,
  shown: (object: KubeObject) => KubeObject | undefined,
): BundleContents["kinds"] {
  return [...record.kinds.values()].map(({ apiVersion, kind, served, objects, problem }) => {
    const items = [...objects.values()].flatMap((object) => shown(object) ?? []);
    const path = filePath("objects", apiVersion, `${kind}.json`);
    const text = JSON.stringify({ apiVersion: "v1", kind: "List", items }, undefined, 1);
    const file = problem !== undefined && items.length === 0 ? undefined : room.keep(`${kind} objects`, path, text);
    return {
      apiVersion,
      kind,
      ...(served === undefined ? {} : { served }),
      ...(file === undefined ? {} : { file, objects: items.length }),
      ...(problem === undefined ? {} : { problem }),
    };
  });
}

function answersOf(record: Recorded, room: Room): BundleContents["answers"] {
  return [...record.answers.values()].map(({ body, ...answer }, index) => {
    if (body === undefined) return answer;
    const { namespace, pod, port, path } = answer;
    const form = body.startsWith("{") || body.startsWith("[") ? "json" : "txt";
    const name = `${index}${filePath(path).replace(/^_/, "-")}.${form}`;
    const file = room.keep(
      `pod ${namespace}/${pod} port ${port}${path}`,
      filePath("answers", namespace, pod, name),
      body,
    );
    return file === undefined
      ? { ...answer, problem: { code: "left-out", words: "it did not fit into the bundle" } }
      : { ...answer, file };
  });
}

function logsOf(record: Recorded, room: Room): BundleContents["logs"] {
  return [...record.logs.values()].flatMap(({ text, ...log }) => {
    const path = filePath("logs", log.namespace, log.pod, `${log.container}.log`);
    const file = room.keep(`log of pod ${log.namespace}/${log.pod}`, path, text);
    return file === undefined ? [] : [{ ...log, file }];
  });
}

interface Room {
  /** Puts a text without its secrets into the bundle; undefined: it does not fit. */
  readonly keep: (what: string, path: string, text: string) => string | undefined;
  readonly files: () => BundleFiles;
  readonly leftOut: () => readonly { readonly what: string; readonly why: string }[];
}

function createRoom(maxBytes: number, redactor: Redactor): Room {
  const files = new Map<string, Buffer>();
  const leftOut: { what: string; why: string }[] = [];
  let used = 0;
  return {
    keep(what, path, text) {
      const bytes = Buffer.from(redactor.text(text));
      if (used + bytes.length > maxBytes) {
        leftOut.push({ what, why: `${bytes.length} bytes more would be over the limit of ${maxBytes}` });
        return undefined;
      }
      used += bytes.length;
      files.set(path, bytes);
      return path;
    },
    files: () => files,
    leftOut: () => leftOut,
  };
}
