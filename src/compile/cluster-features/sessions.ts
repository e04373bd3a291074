import type { ClusterFeature } from "./types.ts";

/** Whether the service keeps sessions (label `istio.io/persistent-session`): they may go on with endpoints that go away. */
export const sessions: ClusterFeature = {
  of: (_, { service }) => (service.session === undefined ? {} : { keepsSessions: true }),
};
