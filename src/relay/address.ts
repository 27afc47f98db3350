// Where a connection comes from: its host, which is what limits count, and the address that a log names. Pure.

/** Says which host is at the other end; "" where it has none. */
export function hostOf(address: Deno.Addr): string {
  return "hostname" in address ? plainHost(address.hostname) : "";
}

/** Writes an address as people do: IPv6 in brackets. */
export function formatAddress(address: Deno.Addr): string {
  if (!("hostname" in address)) return address.transport;
  const host = hostOf(address);
  return host.includes(":") ? `[${host}]:${address.port}` : `${host}:${address.port}`;
}

/**
 * Writes an address of IPv4 in the dress of IPv6, as a listener on `::` sees it, as what it is: a host is the
 * same one whichever way it comes.
 */
export function plainHost(host: string): string {
  return host.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "").toLowerCase();
}
