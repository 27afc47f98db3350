// The two games as they are seen: joins each one's parts with its picture and its lines. Prints nothing.

import { paintGame } from "./game_picture.ts";
import type { Link } from "./link.ts";
import type { Split } from "./split.ts";
import { paintSplit } from "./split_picture.ts";
import { type Rates, type Report, type SplitReport, splitStatusRecord, statusRecord } from "./status.ts";
import type { Scene } from "./views.ts";
import type { World } from "./world.ts";

/** The game with everybody on the relay. */
export function gameScene(world: World, link: Link, rates: Rates): Scene {
  const report = (): Report => ({
    connection: link.status,
    detail: link.detail,
    roster: link.roster,
    perSecond: rates.perSecond,
    own: world.local.length,
    others: world.remoteCount,
    ignored: world.ignored,
    drawing: world.drawing,
  });
  return {
    world,
    paint: (canvas, hasGhosts) => paintGame(canvas, world, link.gold, report(), hasGhosts),
    record: () => statusRecord(report()),
    notice() {
      const { status, detail, place } = link;
      if (detail === place) return undefined;
      return `${detail}${status === "connected" ? "" : " (trying again)"}`;
    },
  };
}

/** Sender and receiver side by side. */
export function splitScene(split: Split, network: string, rates: Rates): Scene {
  const report = (): SplitReport => ({
    drawing: split.receiver.drawing,
    network,
    ...split.errors.recent,
    delayMs: split.delayMs,
    perSecond: rates.perSecond,
  });
  return {
    world: split.receiver,
    paint: (canvas, hasGhosts) => paintSplit(canvas, split, report(), hasGhosts),
    record: () => splitStatusRecord(report()),
    notice: () => undefined,
  };
}
