// Which path means what: resources of the relay's own, numbers, and files of the operator's folder. Where a request may come from is
// looked at here, too, as modules may be imported by everybody's pages and numbers by nobody's.

import type { Answer } from "./answer.ts";
import { hasTag } from "./conditions.ts";
import { HttpFault, type RequestHead } from "./head.ts";
import { findResource, LANDING, type Resource } from "./resources.ts";
import { parseTarget, type Target } from "./target.ts";
import { hostFault, originFault, type WhoMayOptions } from "./who_may.ts";

/** What is answered to whom. */
export class Routes {
  readonly #whoMay: WhoMayOptions;

  constructor(whoMay: WhoMayOptions) {
    this.#whoMay = whoMay;
  }

  /** Answers a `GET` or `HEAD`. */
  answer(head: RequestHead): Answer | HttpFault | Promise<Answer | HttpFault> {
    const target = parseTarget(head);
    if (target instanceof HttpFault) return target;
    const hostIsWrong = hostFault(head, this.#whoMay);
    if (hostIsWrong !== undefined) return hostIsWrong;
    const resource = findResource(target.path);
    if (resource?.fields["Access-Control-Allow-Origin"] === "*") return answerResource(head, resource);
    return originFault(head, this.#whoMay) ?? this.#answerPage(head, target, resource);
  }

  #answerPage(head: RequestHead, { path }: Target, resource: Resource | undefined): Answer | HttpFault {
    if (resource !== undefined) return answerResource(head, resource);
    if (path === "/") return answerResource(head, findResource(LANDING)) ?? nothing();
    return nothing();
  }
}

function answerResource(head: RequestHead, resource: Resource): Answer;
function answerResource(head: RequestHead, resource: Resource | undefined): Answer | undefined;
function answerResource(head: RequestHead, resource: Resource | undefined): Answer | undefined {
  if (resource === undefined) return undefined;
  const { bytes, tag, fields } = resource;
  return { status: hasTag(head, tag) ? 304 : 200, fields: { ...fields, ETag: tag }, body: bytes };
}

function nothing(): HttpFault {
  return new HttpFault(404, "There is nothing here: / says what there is");
}
