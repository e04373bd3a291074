import { type handleUnaryCall, type MethodDefinition, status, type UntypedHandleCall } from "@grpc/grpc-js";
import { decodeMessage, encodeMessage, type Messages } from "../wire/codec.ts";

/** OpenTelemetry's log service, as far as Envoy's access logger of that kind asks it. */
export interface LogService {
  readonly methods: Readonly<Record<string, MethodDefinition<object, object>>>;
  readonly handlers: Readonly<Record<string, UntypedHandleCall>>;
}

type Request = Messages["opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest"];

const REQUEST = "opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest";
const RESPONSE = "opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse";

/** Hands on the attributes of each record, in the order in which they were written. */
export function createLogService(onRecord: (attributes: ReadonlyMap<string, string>) => void): LogService {
  const handler: handleUnaryCall<Request, object> = ({ request }, reply) => {
    try {
      for (const attributes of recordsOf(request)) onRecord(attributes);
      reply(null, {});
    } catch (error) {
      reply({ code: status.INTERNAL, details: String(error) });
    }
  };
  return {
    methods: {
      Export: {
        path: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        requestStream: false,
        responseStream: false,
        requestSerialize: (message) => Buffer.from(encodeMessage(REQUEST, message as Request)),
        requestDeserialize: (bytes) => decodeMessage(REQUEST, bytes),
        responseSerialize: () => Buffer.from(encodeMessage(RESPONSE, {})),
        responseDeserialize: (bytes) => decodeMessage(RESPONSE, bytes),
      },
    },
    handlers: { Export: handler as UntypedHandleCall },
  };
}

function* recordsOf({ resource_logs = [] }: Request): Generator<ReadonlyMap<string, string>> {
  for (const { scope_logs = [] } of resource_logs)
    for (const { log_records = [] } of scope_logs)
      for (const { attributes = [] } of log_records)
        yield new Map(attributes.map(({ key = "", value }) => [key, value?.string_value ?? ""]));
}
