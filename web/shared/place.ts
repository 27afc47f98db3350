// Where the relay is that this page came from, as programs have to name it. Pure.

/** The parts of an address of this page; {@linkcode Location} has them. */
export interface Address {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: string;
}

/** How to reach the relay. */
export interface Place {
  /** `ifilab100` or `[fe80::1]`. */
  host: string;
  port: number;
  /** `ifilab100:32000`: what `connect()` takes. */
  target: string;
  /** `http://ifilab100:32000`. */
  origin: string;
  isSecure: boolean;
  /** Whether only this machine gets there by that name. */
  isLocal: boolean;
}

/**
 * Works out how others reach the relay: as this page was reached; if that was as this machine, by the name
 * that the relay gives itself, such as `ifilab100:32000`.
 */
export function placeOf({ protocol, hostname, port }: Address, relayName?: string): Place {
  const isSecure = protocol === "https:";
  const ownPort = port === "" ? (isSecure ? 443 : 80) : Number(port);
  const here = place(hostname, ownPort, isSecure);
  const named = /^(\[[0-9a-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(relayName ?? "");
  if (!here.isLocal || named === null) return here;
  const there = place(named[1], Number(named[2]), isSecure);
  return there.isLocal ? here : there;
}

/** Whether a name leads to the machine it is said on. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost\.?|.*\.localhost|127(\.\d+){3}|\[::1\]|::1|0\.0\.0\.0|\[::\])$/i.test(hostname);
}

function place(host: string, port: number, isSecure: boolean): Place {
  const isUsual = port === (isSecure ? 443 : 80);
  return {
    host,
    port,
    target: `${host}:${port}`,
    origin: `${isSecure ? "https" : "http"}://${host}${isUsual ? "" : `:${port}`}`,
    isSecure,
    isLocal: isLoopback(host),
  };
}
