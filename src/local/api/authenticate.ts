import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { User } from "./core.ts";
import { forbidden, unauthorized } from "./status.ts";
import type { Tokens } from "./tokens.ts";

const anonymous: User = { username: "system:anonymous", groups: ["system:unauthenticated"] };

function certificateUser(socket: TLSSocket): User | undefined {
  if (!socket.authorized) return undefined;
  // The types say string, but a subject with several organisations has a list.
  const subject = socket.getPeerCertificate().subject as { CN?: string; O?: string | string[] } | undefined;
  if (subject?.CN === undefined) return undefined;
  return { username: subject.CN, groups: [...[subject.O ?? []].flat(), "system:authenticated"] };
}

function impersonated(message: IncomingMessage, user: User): User {
  const name = message.headers["impersonate-user"];
  if (typeof name !== "string") return user;
  if (!user.groups.includes("system:masters")) {
    throw forbidden(
      `users "${name}" is forbidden: User "${user.username}" cannot impersonate resource "users" in API group "" at the cluster scope`,
    );
  }
  const header = message.headers["impersonate-group"];
  const given =
    header === undefined ? [] : [header].flat().flatMap((text) => text.split(",").map((group) => group.trim()));
  const account = /^system:serviceaccount:([^:]+):[^:]+$/.exec(name)?.[1];
  const implied = account === undefined ? [] : ["system:serviceaccounts", `system:serviceaccounts:${account}`];
  return { username: name, groups: [...given, ...(given.length === 0 ? implied : []), "system:authenticated"] };
}

/** Who sends a request: client certificate of our CA, else a service account token, else nobody. A wrong token is 401. */
export async function authenticate(message: IncomingMessage, tokens: Tokens): Promise<User> {
  const fromCertificate = certificateUser(message.socket as TLSSocket);
  if (fromCertificate !== undefined) return impersonated(message, fromCertificate);
  const header = message.headers.authorization;
  const token = header === undefined ? webSocketToken(message) : /^Bearer\s+(.+)$/i.exec(header)?.[1];
  if (header === undefined && token === undefined) return anonymous;
  const reviewed = token === undefined ? undefined : await tokens.review(token.trim(), []);
  if (reviewed === undefined) throw unauthorized();
  return impersonated(message, reviewed.user);
}

/** Browsers cannot set headers on WebSockets: the token comes as a subprotocol. */
function webSocketToken(message: IncomingMessage): string | undefined {
  const prefix = "base64url.bearer.authorization.k8s.io.";
  const offered = String(message.headers["sec-websocket-protocol"] ?? "").split(",");
  const found = offered.map((entry) => entry.trim()).find((entry) => entry.startsWith(prefix));
  return found === undefined ? undefined : Buffer.from(found.slice(prefix.length), "base64url").toString("utf8");
}
