/** What the app and the page say to each other over Web PubSub, and how the app's words are checked. */

import { type Wait, parseWait } from "./wait";

export const SAMPLE_RATE_HZ = 16_000;
export const FRAME_MS = 60;
export const FRAME_SAMPLES = (SAMPLE_RATE_HZ * FRAME_MS) / 1000;

export type ServerMessage =
  /** The app is told when a piece with a mark has been heard; "" is none. */
  | { type: "audio"; mark: string; payload: string }
  | { type: "clear" }
  | { type: "heard"; turn: number; text: string }
  | { type: "said"; turn: number; text: string }
  | { type: "turn"; turn: number; wait: Wait | null }
  | { type: "ended"; reason: string };

/** The message if it is one that this page knows and it is well-formed; else null, so that newer apps may say more. */
export function parseServerMessage(data: unknown): ServerMessage | null {
  if (typeof data !== "object" || data === null) return null;
  const message = data as Record<string, unknown>;
  const { type, mark, payload, turn, text, latency, costs, reason } = message;
  switch (type) {
    case "audio":
      if (mark !== undefined && typeof mark !== "string") return null;
      return typeof payload === "string" ? { type, mark: mark ?? "", payload } : null;
    case "clear":
      return { type };
    case "heard":
    case "said":
      return Number.isInteger(turn) && typeof text === "string" ? { type, turn: turn as number, text } : null;
    case "turn":
      return Number.isInteger(turn) ? { type, turn: turn as number, wait: parseWait(latency, costs) } : null;
    case "ended":
      return { type, reason: typeof reason === "string" ? reason : "error" };
    default:
      return null;
  }
}
