import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import type { Type } from "protobufjs";
import { envoyProtos } from "./envoy-protos.ts";

/** An external processor of requests (ext_proc) with a real server. */
export interface Processor {
  readonly port: number;
  close(): void;
}

interface Asked {
  readonly requestHeaders?: { readonly headers?: { readonly headers?: readonly { readonly key: string }[] } };
}

/** Adds `x-processed` to each request, and answers one with `x-stop` itself, with 429. */
export async function startProcessor(): Promise<Processor> {
  const root = await envoyProtos("envoy/service/ext_proc/v3/external_processor.proto");
  const [asked, answer] = ["ProcessingRequest", "ProcessingResponse"].map((name) =>
    root.lookupType(`envoy.service.ext_proc.v3.${name}`),
  ) as [Type, Type];
  const server = new Server();
  const definition = {
    Process: {
      path: "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
      requestStream: true,
      responseStream: true,
      requestDeserialize: (bytes: Buffer): Asked => asked.decode(bytes) as unknown as Asked,
      requestSerialize: () => Buffer.alloc(0),
      responseSerialize: (value: object) => Buffer.from(answer.encode(answer.fromObject(value)).finish()),
      responseDeserialize: () => ({}),
    },
  };
  server.addService(definition, {
    Process(call: ServerDuplexStream<Asked, object>) {
      call.on("data", ({ requestHeaders }: Asked) => {
        const names = (requestHeaders?.headers?.headers ?? []).map(({ key }) => key);
        call.write(names.includes("x-stop") ? STOP : ADD);
      });
      call.on("end", () => call.end());
      call.on("error", () => undefined);
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { port, close: () => server.forceShutdown() };
}

const STOP = { immediateResponse: { status: { code: 429 }, body: Buffer.from("stopped by the processor") } };
const HEADER = { header: { key: "x-processed", rawValue: Buffer.from("yes") } };
const ADD = { requestHeaders: { response: { headerMutation: { setHeaders: [HEADER] } } } };
