/** The page as a person sees it: every change of the document, apart from the transcript's turns, happens here. */

import { type State, inCall } from "./call_state";
import { clockText } from "./clock";
import { Meter } from "./meter";
import type { Notice } from "./notice";
import { TurnList } from "./turn_list";

const WORDS: Readonly<Record<State, [string, string]>> = {
  signed_out: ["Talk to the agent", "Sign in, and start a call from your browser."],
  ready: ["Ready when you are", "Your browser will ask for the microphone."],
  ringing: ["Ringing…", "The agent is picking up."],
  listening: ["Listening", "Go ahead, the agent hears you."],
  thinking: ["Thinking…", "The agent has heard you."],
  speaking: ["The agent is speaking", "You can interrupt at any time."],
  ended: ["Call ended", ""],
};
const MUTED_HINT = "You are muted: the agent cannot hear you.";

function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element as T;
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export class View {
  readonly signIn = byId<HTMLButtonElement>("sign-in");
  readonly signOut = byId<HTMLButtonElement>("sign-out");
  readonly dial = byId<HTMLButtonElement>("dial");
  readonly mute = byId<HTMLButtonElement>("mute");
  readonly hangUp = byId<HTMLButtonElement>("hang-up");
  readonly turns = new TurnList(byId<HTMLOListElement>("turns"), byId("scroll"), byId("empty"), byId("legend"));
  readonly callerMeter: Meter;
  readonly agentMeter: Meter;
  private readonly page = byId("page");
  private readonly elapsed = byId("elapsed");

  constructor() {
    this.callerMeter = new Meter(byId("caller-meter"), this.page, "--caller-level");
    this.agentMeter = new Meter(byId("agent-meter"), this.page, "--agent-level");
  }

  showState(state: State, muted: boolean): void {
    const hadFocus = document.activeElement;
    const [title, hint] = WORDS[state];
    const talking = inCall(state);
    this.page.dataset.state = state;
    this.page.dataset.muted = String(talking && muted);
    setText(byId("state"), title);
    setText(byId("hint"), talking && muted ? MUTED_HINT : hint);
    this.signIn.hidden = state !== "signed_out";
    this.dial.hidden = state !== "ready" && state !== "ended";
    setText(byId("dial-label"), state === "ended" ? "Call again" : "Start the call");
    this.mute.hidden = this.hangUp.hidden = !talking;
    this.mute.setAttribute("aria-pressed", String(muted));
    this.keepFocus(hadFocus);
  }

  /** Nothing on this page can work; only loading it again may help. */
  showUnavailable(notice: Notice): void {
    this.page.dataset.state = "unavailable";
    setText(byId("state"), "Not available right now");
    setText(byId("hint"), "Load the page again in a moment.");
    this.showNotice(notice);
  }

  /** A button that disappears hands its focus on to the one that takes its place. */
  private keepFocus(before: Element | null): void {
    if (!(before instanceof HTMLButtonElement) || !before.hidden) return;
    [this.hangUp, this.dial, this.signIn].find((button) => !button.hidden)?.focus();
  }

  showCaller(name: string | null): void {
    byId("account").hidden = name === null;
    setText(byId("caller-name"), name ?? "");
  }

  /** Signing out in the middle of a call would strand it. */
  lockAccount(locked: boolean): void {
    this.signOut.disabled = locked;
  }

  showElapsed(elapsed_ms: number | null): void {
    this.elapsed.hidden = elapsed_ms === null;
    if (elapsed_ms !== null) setText(this.elapsed, clockText(elapsed_ms));
  }

  /** Why the call is over: beside the state where that is all there is to say, as a notice where it is a failure. */
  showEnding(notice: Notice): void {
    if (notice.tone === "info") setText(byId("hint"), notice.detail);
    this.showNotice(notice.tone === "info" ? null : notice);
  }

  showNotice(notice: Notice | null): void {
    const box = byId("notice");
    box.hidden = notice === null;
    if (notice === null) return;
    box.dataset.tone = notice.tone;
    setText(byId("notice-title"), notice.title);
    setText(byId("notice-detail"), notice.detail);
  }
}
