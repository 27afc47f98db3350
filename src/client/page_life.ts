// The life of a page, as far as a connection has to do with it: when the page, its network or its machine
// comes back after a while, and when the page goes for good. Where there is no page, nothing happens.
//
// Never by `unload`: a page that listens to it is not kept for the way back.

/** What a page does that a connection has to know. */
export interface PageLifeSink {
  /** The page is hidden: from now on it may be slow, or stand still. */
  onHide(): void;
  /** The page was hidden, frozen, kept for the way back or without a network, and is back. */
  onWake(): void;
  /** The page goes, and nothing of it is kept. What is done in the call is done in time. */
  onLeave(): void;
}

type Listener = (event: Event) => void;

interface Events {
  addEventListener(type: string, listener: Listener): void;
  removeEventListener(type: string, listener: Listener): void;
}

/** Whom to listen to: as much of a page, or of a worker, as there is. */
interface Globals {
  document?: Events & { readonly visibilityState: string };
  addEventListener?: Events["addEventListener"];
}

/** Watches the page that this program runs in, if it does. Returns a function that ends it. */
export function watchPageLife(sink: PageLifeSink): () => void {
  const { document, addEventListener } = globalThis as unknown as Globals;
  if (document === undefined || addEventListener === undefined) return () => {};
  const wake = () => sink.onWake();
  const listeners: [Events, string, Listener][] = [
    [document, "visibilitychange", () => document.visibilityState === "visible" ? wake() : sink.onHide()],
    [document, "resume", wake], // from being frozen
    [globalThis, "online", wake],
    [globalThis, "pageshow", (event) => isPersisted(event) && wake()],
    [globalThis, "pagehide", (event) => isPersisted(event) || sink.onLeave()],
  ];
  for (const [target, type, listener] of listeners) target.addEventListener(type, listener);
  return () => {
    for (const [target, type, listener] of listeners) target.removeEventListener(type, listener);
  };
}

/** Whether a page comes from the back/forward cache, or may go there. */
function isPersisted(event: Event): boolean {
  return (event as Event & { persisted?: boolean }).persisted === true;
}
