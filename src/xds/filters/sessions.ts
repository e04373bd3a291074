import type { Session } from "../../ir/service.ts";
import { type TypedAny, typed } from "../../wire/codec.ts";
import type { HttpFilter } from "./types.ts";

const NAME = "envoy.filters.http.stateful_session";

/**
 * Keeps the requests of a session with the endpoint that answered its first one: its address, encoded, is a cookie (which
 * lasts as long as the browser does) or a header. Off until a route has a session (feature `session`).
 */
export const sessions: HttpFilter = {
  name: NAME,
  key: "session",
  appliesTo: ({ needs = [] }) => needs.includes("sessions"),
  filter: () => ({
    name: NAME,
    typed_config: typed("envoy.extensions.filters.http.stateful_session.v3.StatefulSession", {}),
  }),
  perRoute: ({ session }) => (session === undefined ? undefined : sessionOf(session)),
};

function sessionOf(session: Session): TypedAny {
  const session_state =
    session.kind === "cookie"
      ? {
          name: "envoy.http.stateful_session.cookie",
          typed_config: typed("envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState", {
            cookie: { name: session.name, path: session.path },
          }),
        }
      : {
          name: "envoy.http.stateful_session.header",
          typed_config: typed("envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState", {
            name: session.name,
          }),
        };
  return typed("envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute", {
    stateful_session: { session_state },
  });
}
