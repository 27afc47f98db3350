// A relay in a thread of its own, which goes on while the test stands still. Tells its port.

import { serve } from "../../src/relay/relay.ts";

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
serve(listener);
(self as unknown as Worker).postMessage(listener.addr.port);
