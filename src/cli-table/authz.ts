import { type CommandSpec, outputOption } from "./types.ts";

/** Questions about who may call what, answered from files. */
export const authzCommands: readonly CommandSpec[] = [
  {
    name: "authz check",
    summary: "Whether a workload lets one call in, by the policies in files, and which rule decides",
    args: [
      {
        flags: "<workload>",
        summary: "who is called: a pod or workload, as name or name.namespace",
        complete: "workload",
      },
    ],
    options: [
      {
        flags: "-f, --filename <file>",
        summary: "file, directory, pattern or - that the mesh is read from",
        repeatable: true,
      },
      { flags: "--port <number>", summary: "port of the workload (not of its Service)", complete: [] },
      { flags: "--from <pod>", summary: "who calls: a pod or workload of the files", complete: "workload" },
      { flags: "--principal <identity>", summary: "who calls, as TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT", complete: [] },
      {
        flags: "-X, --method <method>",
        summary: "HTTP method",
        default: "GET",
        complete: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
      },
      { flags: "--host <host>", summary: "host that the request names", complete: [] },
      { flags: "--path <path>", summary: "path, with its query", default: "/" },
      {
        flags: "-H, --header <header>",
        summary: "header of the request, as name: value",
        repeatable: true,
        complete: [],
      },
      { flags: "--claims <json>", summary: "claims of the valid token that the request carries", complete: [] },
      { flags: "--source-ip <address>", summary: "address that the connection comes from", complete: [] },
      { flags: "--remote-ip <address>", summary: "address of the first client, as X-Forwarded-For says", complete: [] },
      outputOption,
    ],
    examples: [
      {
        line: "meshctl authz check reviews.shop -f mesh/ --from web.shop --port 9080 --path /admin",
        summary: "by the account of workload web; exit code 1 when it is refused",
      },
      {
        line: `meshctl authz check reviews.shop -f mesh/ --port 9080 --claims '{"iss":"https://issuer","sub":"ann"}'`,
        summary: "in plain text, with a token",
      },
    ],
    load: async () => (await import("../commands/authz/check.ts")).run,
  },
];
