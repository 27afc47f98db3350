// Made by `deno task bundle`: the files that the relay serves out of itself, by their paths from the root.

import client_ts from "../../../client.ts" with { type: "text" };
import example_python_balls_py from "../../../example/python/balls.py" with { type: "text" };
import example_python_relay_client_py from "../../../example/python/relay_client.py" with { type: "text" };
import example_python_relay_wire_py from "../../../example/python/relay_wire.py" with { type: "text" };
import example_python_session_asks_py from "../../../example/python/session_asks.py" with { type: "text" };
import example_python_session_client_py from "../../../example/python/session_client.py" with { type: "text" };
import example_python_session_demo_py from "../../../example/python/session_demo.py" with { type: "text" };
import example_python_session_link_py from "../../../example/python/session_link.py" with { type: "text" };
import example_python_session_parts_py from "../../../example/python/session_parts.py" with { type: "text" };
import motion_ts from "../../../motion.ts" with { type: "text" };
import src_client_call_options_ts from "../../client/call_options.ts" with { type: "text" };
import src_client_callbacks_ts from "../../client/callbacks.ts" with { type: "text" };
import src_client_compare_ids_ts from "../../client/compare_ids.ts" with { type: "text" };
import src_client_connect_ts from "../../client/connect.ts" with { type: "text" };
import src_client_drain_watch_ts from "../../client/drain_watch.ts" with { type: "text" };
import src_client_frames_ts from "../../client/frames.ts" with { type: "text" };
import src_client_host_role_ts from "../../client/host_role.ts" with { type: "text" };
import src_client_inbox_ts from "../../client/inbox.ts" with { type: "text" };
import src_client_incoming_ts from "../../client/incoming.ts" with { type: "text" };
import src_client_json_text_ts from "../../client/json_text.ts" with { type: "text" };
import src_client_link_after_turn_ts from "../../client/link/after_turn.ts" with { type: "text" };
import src_client_link_attempt_ts from "../../client/link/attempt.ts" with { type: "text" };
import src_client_link_backoff_ts from "../../client/link/backoff.ts" with { type: "text" };
import src_client_link_connect_error_ts from "../../client/link/connect_error.ts" with { type: "text" };
import src_client_link_countdown_ts from "../../client/link/countdown.ts" with { type: "text" };
import src_client_link_deno_transport_ts from "../../client/link/deno_transport.ts" with { type: "text" };
import src_client_link_line_decoder_ts from "../../client/link/line_decoder.ts" with { type: "text" };
import src_client_link_line_queue_ts from "../../client/link/line_queue.ts" with { type: "text" };
import src_client_link_line_source_ts from "../../client/link/line_source.ts" with { type: "text" };
import src_client_link_link_ts from "../../client/link/link.ts" with { type: "text" };
import src_client_link_node_transport_ts from "../../client/link/node_transport.ts" with { type: "text" };
import src_client_link_open_transport_ts from "../../client/link/open_transport.ts" with { type: "text" };
import src_client_link_queue_ts from "../../client/link/queue.ts" with { type: "text" };
import src_client_link_runtime_ts from "../../client/link/runtime.ts" with { type: "text" };
import src_client_link_speaker_ts from "../../client/link/speaker.ts" with { type: "text" };
import src_client_link_status_ts from "../../client/link/status.ts" with { type: "text" };
import src_client_link_transport_ts from "../../client/link/transport.ts" with { type: "text" };
import src_client_link_websocket_transport_ts from "../../client/link/websocket_transport.ts" with { type: "text" };
import src_client_link_writer_ts from "../../client/link/writer.ts" with { type: "text" };
import src_client_loss_tally_ts from "../../client/loss_tally.ts" with { type: "text" };
import src_client_membership_ts from "../../client/membership.ts" with { type: "text" };
import src_client_message_ts from "../../client/message.ts" with { type: "text" };
import src_client_option_check_ts from "../../client/option_check.ts" with { type: "text" };
import src_client_options_ts from "../../client/options.ts" with { type: "text" };
import src_client_outgoing_ts from "../../client/outgoing.ts" with { type: "text" };
import src_client_page_life_ts from "../../client/page_life.ts" with { type: "text" };
import src_client_plain_ts from "../../client/plain.ts" with { type: "text" };
import src_client_plain_outbox_ts from "../../client/plain_outbox.ts" with { type: "text" };
import src_client_receivers_ts from "../../client/receivers.ts" with { type: "text" };
import src_client_relay_ts from "../../client/relay.ts" with { type: "text" };
import src_client_requests_ts from "../../client/requests.ts" with { type: "text" };
import src_client_room_list_ts from "../../client/room_list.ts" with { type: "text" };
import src_client_session_asks_ts from "../../client/session/asks.ts" with { type: "text" };
import src_client_session_clock_ts from "../../client/session/clock.ts" with { type: "text" };
import src_client_session_freshness_ts from "../../client/session/freshness.ts" with { type: "text" };
import src_client_session_heartbeat_ts from "../../client/session/heartbeat.ts" with { type: "text" };
import src_client_session_hello_ts from "../../client/session/hello.ts" with { type: "text" };
import src_client_session_lost_ts from "../../client/session/lost.ts" with { type: "text" };
import src_client_session_opening_ts from "../../client/session/opening.ts" with { type: "text" };
import src_client_session_own_state_ts from "../../client/session/own_state.ts" with { type: "text" };
import src_client_session_pinger_ts from "../../client/session/pinger.ts" with { type: "text" };
import src_client_session_read_position_ts from "../../client/session/read_position.ts" with { type: "text" };
import src_client_session_relay_control_ts from "../../client/session/relay_control.ts" with { type: "text" };
import src_client_session_room_values_ts from "../../client/session/room_values.ts" with { type: "text" };
import src_client_session_roster_ts from "../../client/session/roster.ts" with { type: "text" };
import src_client_session_roster_control_ts from "../../client/session/roster_control.ts" with { type: "text" };
import src_client_session_session_ts from "../../client/session/session.ts" with { type: "text" };
import src_client_session_session_outbox_ts from "../../client/session/session_outbox.ts" with { type: "text" };
import src_client_session_stream_age_ts from "../../client/session/stream_age.ts" with { type: "text" };
import src_client_session_stream_marks_ts from "../../client/session/stream_marks.ts" with { type: "text" };
import src_client_session_told_sets_ts from "../../client/session/told_sets.ts" with { type: "text" };
import src_client_session_welcome_ts from "../../client/session/welcome.ts" with { type: "text" };
import src_client_standard_schema_ts from "../../client/standard_schema.ts" with { type: "text" };
import src_client_state_check_ts from "../../client/state_check.ts" with { type: "text" };
import src_client_state_types_ts from "../../client/state_types.ts" with { type: "text" };
import src_client_target_ts from "../../client/target.ts" with { type: "text" };
import src_client_version_notice_ts from "../../client/version_notice.ts" with { type: "text" };
import src_motion_clock_ts from "../../motion/clock.ts" with { type: "text" };
import src_motion_correct_ts from "../../motion/correct.ts" with { type: "text" };
import src_motion_estimate_ts from "../../motion/estimate.ts" with { type: "text" };
import src_motion_fit_ts from "../../motion/fit.ts" with { type: "text" };
import src_motion_history_ts from "../../motion/history.ts" with { type: "text" };
import src_motion_movers_ts from "../../motion/movers.ts" with { type: "text" };
import src_motion_numbers_ts from "../../motion/numbers.ts" with { type: "text" };
import src_motion_option_check_ts from "../../motion/option_check.ts" with { type: "text" };
import src_motion_playout_ts from "../../motion/playout.ts" with { type: "text" };
import src_motion_predict_ts from "../../motion/predict.ts" with { type: "text" };
import src_motion_sender_ts from "../../motion/sender.ts" with { type: "text" };
import src_motion_track_ts from "../../motion/track.ts" with { type: "text" };
import src_motion_types_ts from "../../motion/types.ts" with { type: "text" };
import src_relay_web_assets_client_d_ts from "./assets/client.d.ts" with { type: "text" };
import src_relay_web_assets_client_js from "./assets/client.js" with { type: "text" };
import src_relay_web_assets_icon_svg from "./assets/icon.svg" with { type: "text" };
import src_relay_web_assets_index_html from "./assets/index.html" with { type: "text" };
import src_relay_web_assets_index_js from "./assets/index.js" with { type: "text" };
import src_relay_web_assets_motion_d_ts from "./assets/motion.d.ts" with { type: "text" };
import src_relay_web_assets_motion_js from "./assets/motion.js" with { type: "text" };
import src_relay_web_assets_play_html from "./assets/play.html" with { type: "text" };
import src_relay_web_assets_play_js from "./assets/play.js" with { type: "text" };
import src_relay_web_assets_style_css from "./assets/style.css" with { type: "text" };
import src_relay_web_assets_try_html from "./assets/try.html" with { type: "text" };
import src_relay_web_assets_try_js from "./assets/try.js" with { type: "text" };
import src_relay_web_assets_watch_html from "./assets/watch.html" with { type: "text" };
import src_relay_web_assets_watch_js from "./assets/watch.js" with { type: "text" };
import src_simulation_parse_simulation_ts from "../../simulation/parse_simulation.ts" with { type: "text" };
import src_simulation_random_ts from "../../simulation/random.ts" with { type: "text" };
import src_simulation_simulation_ts from "../../simulation/simulation.ts" with { type: "text" };
import src_wire_buffer_pool_ts from "../../wire/buffer_pool.ts" with { type: "text" };
import src_wire_concat_ts from "../../wire/concat.ts" with { type: "text" };
import src_wire_line_reader_ts from "../../wire/line_reader.ts" with { type: "text" };
import src_wire_node_stream_ts from "../../wire/node_stream.ts" with { type: "text" };
import src_wire_protocol_ts from "../../wire/protocol.ts" with { type: "text" };
import src_wire_tls_stream_ts from "../../wire/tls_stream.ts" with { type: "text" };
import src_wire_untrusted_ts from "../../wire/untrusted.ts" with { type: "text" };
import src_wire_utf8_ts from "../../wire/utf8.ts" with { type: "text" };
import src_wire_version_ts from "../../wire/version.ts" with { type: "text" };

/** Their texts. */
export const EMBEDDED: ReadonlyMap<string, string> = new Map([
  ["client.ts", client_ts],
  ["example/python/balls.py", example_python_balls_py],
  ["example/python/relay_client.py", example_python_relay_client_py],
  ["example/python/relay_wire.py", example_python_relay_wire_py],
  ["example/python/session_asks.py", example_python_session_asks_py],
  ["example/python/session_client.py", example_python_session_client_py],
  ["example/python/session_demo.py", example_python_session_demo_py],
  ["example/python/session_link.py", example_python_session_link_py],
  ["example/python/session_parts.py", example_python_session_parts_py],
  ["motion.ts", motion_ts],
  ["src/client/call_options.ts", src_client_call_options_ts],
  ["src/client/callbacks.ts", src_client_callbacks_ts],
  ["src/client/compare_ids.ts", src_client_compare_ids_ts],
  ["src/client/connect.ts", src_client_connect_ts],
  ["src/client/drain_watch.ts", src_client_drain_watch_ts],
  ["src/client/frames.ts", src_client_frames_ts],
  ["src/client/host_role.ts", src_client_host_role_ts],
  ["src/client/inbox.ts", src_client_inbox_ts],
  ["src/client/incoming.ts", src_client_incoming_ts],
  ["src/client/json_text.ts", src_client_json_text_ts],
  ["src/client/link/after_turn.ts", src_client_link_after_turn_ts],
  ["src/client/link/attempt.ts", src_client_link_attempt_ts],
  ["src/client/link/backoff.ts", src_client_link_backoff_ts],
  ["src/client/link/connect_error.ts", src_client_link_connect_error_ts],
  ["src/client/link/countdown.ts", src_client_link_countdown_ts],
  ["src/client/link/deno_transport.ts", src_client_link_deno_transport_ts],
  ["src/client/link/line_decoder.ts", src_client_link_line_decoder_ts],
  ["src/client/link/line_queue.ts", src_client_link_line_queue_ts],
  ["src/client/link/line_source.ts", src_client_link_line_source_ts],
  ["src/client/link/link.ts", src_client_link_link_ts],
  ["src/client/link/node_transport.ts", src_client_link_node_transport_ts],
  ["src/client/link/open_transport.ts", src_client_link_open_transport_ts],
  ["src/client/link/queue.ts", src_client_link_queue_ts],
  ["src/client/link/runtime.ts", src_client_link_runtime_ts],
  ["src/client/link/speaker.ts", src_client_link_speaker_ts],
  ["src/client/link/status.ts", src_client_link_status_ts],
  ["src/client/link/transport.ts", src_client_link_transport_ts],
  ["src/client/link/websocket_transport.ts", src_client_link_websocket_transport_ts],
  ["src/client/link/writer.ts", src_client_link_writer_ts],
  ["src/client/loss_tally.ts", src_client_loss_tally_ts],
  ["src/client/membership.ts", src_client_membership_ts],
  ["src/client/message.ts", src_client_message_ts],
  ["src/client/option_check.ts", src_client_option_check_ts],
  ["src/client/options.ts", src_client_options_ts],
  ["src/client/outgoing.ts", src_client_outgoing_ts],
  ["src/client/page_life.ts", src_client_page_life_ts],
  ["src/client/plain.ts", src_client_plain_ts],
  ["src/client/plain_outbox.ts", src_client_plain_outbox_ts],
  ["src/client/receivers.ts", src_client_receivers_ts],
  ["src/client/relay.ts", src_client_relay_ts],
  ["src/client/requests.ts", src_client_requests_ts],
  ["src/client/room_list.ts", src_client_room_list_ts],
  ["src/client/session/asks.ts", src_client_session_asks_ts],
  ["src/client/session/clock.ts", src_client_session_clock_ts],
  ["src/client/session/freshness.ts", src_client_session_freshness_ts],
  ["src/client/session/heartbeat.ts", src_client_session_heartbeat_ts],
  ["src/client/session/hello.ts", src_client_session_hello_ts],
  ["src/client/session/lost.ts", src_client_session_lost_ts],
  ["src/client/session/opening.ts", src_client_session_opening_ts],
  ["src/client/session/own_state.ts", src_client_session_own_state_ts],
  ["src/client/session/pinger.ts", src_client_session_pinger_ts],
  ["src/client/session/read_position.ts", src_client_session_read_position_ts],
  ["src/client/session/relay_control.ts", src_client_session_relay_control_ts],
  ["src/client/session/room_values.ts", src_client_session_room_values_ts],
  ["src/client/session/roster.ts", src_client_session_roster_ts],
  ["src/client/session/roster_control.ts", src_client_session_roster_control_ts],
  ["src/client/session/session.ts", src_client_session_session_ts],
  ["src/client/session/session_outbox.ts", src_client_session_session_outbox_ts],
  ["src/client/session/stream_age.ts", src_client_session_stream_age_ts],
  ["src/client/session/stream_marks.ts", src_client_session_stream_marks_ts],
  ["src/client/session/told_sets.ts", src_client_session_told_sets_ts],
  ["src/client/session/welcome.ts", src_client_session_welcome_ts],
  ["src/client/standard_schema.ts", src_client_standard_schema_ts],
  ["src/client/state_check.ts", src_client_state_check_ts],
  ["src/client/state_types.ts", src_client_state_types_ts],
  ["src/client/target.ts", src_client_target_ts],
  ["src/client/version_notice.ts", src_client_version_notice_ts],
  ["src/motion/clock.ts", src_motion_clock_ts],
  ["src/motion/correct.ts", src_motion_correct_ts],
  ["src/motion/estimate.ts", src_motion_estimate_ts],
  ["src/motion/fit.ts", src_motion_fit_ts],
  ["src/motion/history.ts", src_motion_history_ts],
  ["src/motion/movers.ts", src_motion_movers_ts],
  ["src/motion/numbers.ts", src_motion_numbers_ts],
  ["src/motion/option_check.ts", src_motion_option_check_ts],
  ["src/motion/playout.ts", src_motion_playout_ts],
  ["src/motion/predict.ts", src_motion_predict_ts],
  ["src/motion/sender.ts", src_motion_sender_ts],
  ["src/motion/track.ts", src_motion_track_ts],
  ["src/motion/types.ts", src_motion_types_ts],
  ["src/relay/web/assets/client.d.ts", src_relay_web_assets_client_d_ts],
  ["src/relay/web/assets/client.js", src_relay_web_assets_client_js],
  ["src/relay/web/assets/icon.svg", src_relay_web_assets_icon_svg],
  ["src/relay/web/assets/index.html", src_relay_web_assets_index_html],
  ["src/relay/web/assets/index.js", src_relay_web_assets_index_js],
  ["src/relay/web/assets/motion.d.ts", src_relay_web_assets_motion_d_ts],
  ["src/relay/web/assets/motion.js", src_relay_web_assets_motion_js],
  ["src/relay/web/assets/play.html", src_relay_web_assets_play_html],
  ["src/relay/web/assets/play.js", src_relay_web_assets_play_js],
  ["src/relay/web/assets/style.css", src_relay_web_assets_style_css],
  ["src/relay/web/assets/try.html", src_relay_web_assets_try_html],
  ["src/relay/web/assets/try.js", src_relay_web_assets_try_js],
  ["src/relay/web/assets/watch.html", src_relay_web_assets_watch_html],
  ["src/relay/web/assets/watch.js", src_relay_web_assets_watch_js],
  ["src/simulation/parse_simulation.ts", src_simulation_parse_simulation_ts],
  ["src/simulation/random.ts", src_simulation_random_ts],
  ["src/simulation/simulation.ts", src_simulation_simulation_ts],
  ["src/wire/buffer_pool.ts", src_wire_buffer_pool_ts],
  ["src/wire/concat.ts", src_wire_concat_ts],
  ["src/wire/line_reader.ts", src_wire_line_reader_ts],
  ["src/wire/node_stream.ts", src_wire_node_stream_ts],
  ["src/wire/protocol.ts", src_wire_protocol_ts],
  ["src/wire/tls_stream.ts", src_wire_tls_stream_ts],
  ["src/wire/untrusted.ts", src_wire_untrusted_ts],
  ["src/wire/utf8.ts", src_wire_utf8_ts],
  ["src/wire/version.ts", src_wire_version_ts],
]);
