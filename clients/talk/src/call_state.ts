/** Where a visit stands, from signing in to the end of a call, as one table of states and events. */

export const STATES = ["signed_out", "ready", "ringing", "listening", "thinking", "speaking", "ended"] as const;
export const EVENTS = [
  "signed_in",
  "signed_out",
  "dialled",
  "refused",
  "heard",
  "agent_started",
  "agent_stopped",
  "ended",
] as const;

export type State = (typeof STATES)[number];
export type CallEvent = (typeof EVENTS)[number];

/** What is not listed changes nothing: events of the network come late, twice and out of order. */
export const TRANSITIONS: Readonly<Record<State, Partial<Record<CallEvent, State>>>> = {
  signed_out: { signed_in: "ready" },
  ready: { signed_out: "signed_out", dialled: "ringing" },
  ringing: { refused: "ready", heard: "thinking", agent_started: "speaking", ended: "ended" },
  listening: { heard: "thinking", agent_started: "speaking", ended: "ended" },
  thinking: { agent_started: "speaking", ended: "ended" },
  speaking: { agent_stopped: "listening", ended: "ended" },
  ended: { signed_out: "signed_out", dialled: "ringing" },
};

export function nextState(state: State, event: CallEvent): State {
  return TRANSITIONS[state][event] ?? state;
}

export function inCall(state: State): boolean {
  return state === "ringing" || state === "listening" || state === "thinking" || state === "speaking";
}
