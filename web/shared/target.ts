// The relay that this page came from, as connect() takes it.

/** The relay that served this page, over TLS if the page came over TLS. */
export function relayTarget(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
}
