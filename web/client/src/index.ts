// What the package exports. The widget and the dashboard of HelpBot import single modules, which keeps their files small.

export { type Client, type ClientOptions, type EventOf, type EventsOptions, type FollowOptions, type RunOptions, type StreamOptions, createClient } from "./client";
export { type Doc, type Operation, type TypedText, docOf } from "./document";
export { type Event, type Following, type Payload, type ServerError, type Source, type State, type Transport, eventsOf, follow } from "./follow";
export { ApiError, type Credentials, NetworkError, isUnreachable, request } from "./graphql";
export { newId } from "./id";
export { type LiveResult, liveOf } from "./live_query";
export { pollTransport } from "./poll";
export { socketTransport } from "./socket";
export { results, sseTransport } from "./sse";
