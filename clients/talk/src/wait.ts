/** How long the caller waited for an answer, and for what: the app's account of it, checked, and in words. */

/** Stages in the order in which they are waited for, each with what it is called here. */
export const STAGES: Readonly<Record<string, string>> = {
  decision: "Turn decided",
  transcript: "Words understood",
  first_token: "Answer begun",
  first_sentence: "Sentence ready",
  first_audio_byte: "Voice ready",
  first_frame_sent: "Sent to you",
};

export interface Part {
  stage: string;
  /** What the caller waited for this stage. */
  took_ms: number;
  /** How long before the decision it was ready already; null if it was not. */
  prepared_ms: number | null;
}

/** From the end of the caller's speech to the first sound of the answer; the parts are the whole. */
export interface Wait {
  total_ms: number;
  parts: Part[];
  /** The answer had begun before the turn was over. */
  speculation: boolean;
  /** When in the wait a filler was spoken. */
  filler_ms: number | null;
  /** What it took besides, in words. */
  notes: string[];
}

type Numbers = Record<string, number>;

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** The amounts among the values of an object; nothing of anything else. */
function amounts(value: unknown): Numbers {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, number] => isAmount(entry[1])));
}

/** What the app told of a turn's `latency` and `costs`, or null where nobody waited or it makes no sense. */
export function parseWait(latency: unknown, costs: unknown): Wait | null {
  if (typeof latency !== "object" || latency === null) return null;
  const { total_ms, parts_ms, prepared_ms, speculation, filler_ms } = latency as Record<string, unknown>;
  const took = amounts(parts_ms);
  if (!isAmount(total_ms) || Object.keys(took).length === 0) return null;
  const prepared = amounts(prepared_ms);
  return {
    total_ms,
    parts: Object.entries(took).map(([stage, took_ms]) => ({ stage, took_ms, prepared_ms: prepared[stage] ?? null })),
    speculation: speculation === true,
    filler_ms: isAmount(filler_ms) ? filler_ms : null,
    notes: notes(amounts(costs)),
  };
}

export function stageName(stage: string): string {
  return STAGES[stage] ?? stage.replaceAll("_", " ");
}

/** Whole milliseconds, as a person reads them. */
export function msText(amount_ms: number): string {
  return `${Math.round(amount_ms)} ms`;
}

function counted(count: number | undefined, one: string, many: string): string[] {
  return count ? [`${count} ${count === 1 ? one : many}`] : [];
}

function notes(costs: Numbers): string[] {
  return [
    ...counted(costs.takes_withdrawn, "prepared answer was thrown away", "prepared answers were thrown away"),
    ...counted(costs.fillers, "filler was spoken", "fillers were spoken"),
    ...counted(costs.false_interruptions, "noise was taken for an interruption", "noises were taken for interruptions"),
  ];
}
