// The public door for programs: connect(), the Relay it gives, and what a game loop needs beside them. It
// only exports; what stands behind it is in src/client/. Imports nothing but files of this repository, so it
// can be imported by URL.

export { connect } from "./src/client/connect.ts";
export { Relay } from "./src/client/relay.ts";
export type { Message } from "./src/client/message.ts";
export type { ClaimOptions, RequestOptions, SetOptions } from "./src/client/call_options.ts";
export { animationFrames, type Clock, frames, rateLimit } from "./src/client/frames.ts";
export { DEFAULT_PORT, type ErrorCode } from "./src/wire/protocol.ts";
export { compareIds } from "./src/client/compare_ids.ts";
export { RequestError } from "./src/client/session/asks.ts";
export type { MemberState, ReadState, RoomState, States } from "./src/client/state_types.ts";
export type { RoomInfo, RoomList } from "./src/client/room_list.ts";
export type { Addressee, SendOptions } from "./src/client/receivers.ts";
export type { RelayError } from "./src/client/session/relay_control.ts";
export type { SchemaIssue, SchemaResult, StandardSchema } from "./src/client/standard_schema.ts";
export type { Status, StatusDetail } from "./src/client/link/status.ts";
export type { ConnectOptions, Stats } from "./src/client/options.ts";
export type { LeaveReason, Peer } from "./src/client/session/roster.ts";
export type { Lost } from "./src/client/session/lost.ts";
export type { Target } from "./src/client/target.ts";
export type { TlsOptions } from "./src/client/link/transport.ts";
