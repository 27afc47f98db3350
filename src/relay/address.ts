// Hosts and addresses: who is at the other end of a connection, which is what limits count, and how an
// address is written for people. Pure.

/** Says which host is at the other end; "" where it has none. */
export function hostOf(address: Deno.Addr): string {
  return "hostname" in address ? plainHost(address.hostname) : "";
}

/** Writes where a connection comes from, as a log names it. */
export function formatAddress(address: Deno.Addr): string {
  return "hostname" in address ? joinHostPort(hostOf(address), address.port) : address.transport;
}

/** Writes an address as people do: IPv6 in brackets. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Writes an address of IPv4 in the dress of IPv6, as a listener on `::` sees it, as what it is: a host is the
 * same one whichever way it comes.
 */
export function plainHost(host: string): string {
  return host.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "").toLowerCase();
}
