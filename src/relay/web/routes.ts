// Which path means what: resources of the relay's own, numbers, and files of the operator's folder. Where a
// request may come from is looked at here, too, as modules may be imported by everybody's pages and numbers
// by nobody's.

import { type Answer, textAnswer } from "./answer.ts";
import { conditionOf } from "./conditions.ts";
import type { Files } from "./files.ts";
import { HttpFault, only, type RequestHead } from "./head.ts";
import { type Metrics, OPEN_METRICS_TYPE, prefersOpenMetrics, TEXT_TYPE } from "./metrics.ts";
import { findResource, LANDING, type Resource } from "./resources.ts";
import type { Stats } from "./stats.ts";
import { parseTarget, type Target } from "./target.ts";
import type { RelayView } from "./view.ts";
import { hostFault, originFault, type WhoMayOptions } from "./who_may.ts";
import { decodeUtf8 } from "../../wire/utf8.ts";

/** What is answered to whom. */
export class Routes {
  readonly #whoMay: WhoMayOptions;
  readonly #relay: RelayView;
  readonly #stats: Stats;
  readonly #metrics: Metrics;
  readonly #files: Files | undefined;

  constructor(
    whoMay: WhoMayOptions,
    relay: RelayView,
    stats: Stats,
    metrics: Metrics,
    files: Files | undefined,
  ) {
    this.#files = files;
    this.#whoMay = whoMay;
    this.#relay = relay;
    this.#stats = stats;
    this.#metrics = metrics;
  }

  /** Answers a `GET` or `HEAD` that comes from `host`. */
  answer(head: RequestHead, host: string): Answer | HttpFault | Promise<Answer | HttpFault> {
    const target = parseTarget(head);
    if (target instanceof HttpFault) return target;
    const hostIsWrong = hostFault(head, this.#whoMay);
    if (hostIsWrong !== undefined) return hostIsWrong;
    const resource = findResource(target.path);
    if (resource?.fields["Access-Control-Allow-Origin"] === "*") return answerResource(head, resource);
    return originFault(head, this.#whoMay) ??
      (resource ? answerResource(head, resource) : this.#answerPath(head, target, host));
  }

  #answerPath(
    head: RequestHead,
    target: Target,
    host: string,
  ): Answer | HttpFault | Promise<Answer | HttpFault> {
    const { path, search } = target;
    switch (path) {
      case "/healthz":
        return numbersFault(head) ?? this.#answerHealth();
      case "/stats.json":
        return this.#tokenFault(head, host) ?? numbersFault(head) ??
          this.#answerStats(new URLSearchParams(search).get("room") ?? undefined);
      case "/metrics":
        return this.#tokenFault(head, host) ?? numbersFault(head) ?? this.#answerMetrics(head);
    }
    return this.#answerFile(head, target);
  }

  /**
   * Answers with a file of the operator's folder; where there is none, with what stands in for it, or the way
   * to it.
   */
  async #answerFile(head: RequestHead, target: Target): Promise<Answer | HttpFault> {
    const file = await this.#files?.answer(head, target);
    if (file !== undefined) return file;
    const standIn = STAND_INS.get(target.path);
    if (standIn !== undefined) return answerResource(head, findResource(standIn)!);
    const meant = target.path.endsWith("/") ? target.path.slice(0, -1) : `${target.path}/`;
    if (PAGES.has(meant)) return redirect(meant);
    return new HttpFault(404, `There is nothing here: ${LANDING} says what there is`);
  }

  #answerHealth(): Answer {
    const { health } = this.#relay;
    return textAnswer(health === "ok" ? 200 : 503, `${health}\n`);
  }

  async #answerStats(room: string | undefined): Promise<Answer> {
    const fields = { "Content-Type": "application/json; charset=utf-8", ...PRIVATE };
    return { status: 200, fields, body: await this.#stats.bytes(room) };
  }

  #answerMetrics(head: RequestHead): Answer {
    const isOpen = prefersOpenMetrics(head.fields.get("accept"));
    return textAnswer(200, this.#metrics.text(isOpen), {
      "Content-Type": isOpen ? OPEN_METRICS_TYPE : TEXT_TYPE,
      ...PRIVATE,
    });
  }

  /** Looks at the token in `Authorization: Bearer`. */
  #tokenFault(head: RequestHead, host: string): HttpFault | undefined {
    const [, given = ""] = /^Bearer +(.*)$/i.exec(only(head, "authorization") ?? "") ?? [];
    const fault = this.#relay.tokenFault(decodeToken(given), host);
    switch (fault?.kind) {
      case "none":
        return new HttpFault(401, "This needs the relay's token, as Authorization: Bearer", CHALLENGE);
      case "wrong":
        return new HttpFault(401, "The token is not the relay's", CHALLENGE);
      case "wait": {
        const seconds = Math.ceil(fault.waitMs / 1000);
        const message = `Too many wrong tokens came from ${host}, the next one is looked at in ${seconds} s`;
        return new HttpFault(429, message, { "Retry-After": String(seconds) });
      }
    }
  }
}

/**
 * What is served under paths that the operator's folder may have as well: what this is, and the icon that
 * browsers ask for.
 */
const STAND_INS = new Map([["/", LANDING], ["/favicon.ico", `${LANDING}icon.svg`]]);

/** The pages, to which people type a slash too many or too few. */
const PAGES = new Set([LANDING, "/play", "/watch", "/try"]);

/** What is for those who may see it, and no other site's page. */
const PRIVATE = { "Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin" };

const CHALLENGE = { "WWW-Authenticate": "Bearer" };

/** A head has one character a byte; a token is UTF-8. */
function decodeToken(bytes: string): string {
  return decodeUtf8(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

/** Numbers have no version: whoever wants one of a certain kind can't have it. */
function numbersFault(head: RequestHead): HttpFault | undefined {
  const condition = conditionOf(head, {});
  return condition instanceof HttpFault ? condition : undefined;
}

/** Leads to another path; not for ever, as a folder of the operator's may get it. */
function redirect(location: string): Answer {
  return textAnswer(302, "", { Location: location });
}

function answerResource(head: RequestHead, { bytes, tag, fields }: Resource): Answer | HttpFault {
  const condition = conditionOf(head, { tag });
  if (condition instanceof HttpFault) return condition;
  const status = condition === "had" ? 304 : 200;
  return { status, fields: { ...fields, ETag: tag }, body: bytes, isShared: true };
}
