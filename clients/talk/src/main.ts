/** Brings the page to life: signs the person in, starts and ends calls, and keeps what is shown true. */

import { fetchSignInConfig, negotiate } from "./api";
import { Call, type CallEvents } from "./call";
import { type CallEvent, type State, inCall, nextState } from "./call_state";
import { type Notice, PageError, endingNotice, noticeOf } from "./notice";
import { SignIn } from "./sign_in";
import { Transcript } from "./transcript";
import { View } from "./view";

const RECONNECTING: Notice = {
  tone: "info",
  title: "Connection lost",
  detail: "Trying to get it back. What you say now is kept for a few seconds.",
};
/** A loss that is over sooner is not worth a word. */
const WORTH_TELLING_MS = 400;
const CLOCK_MS = 250;

class Page {
  private readonly view = new View();
  private state: State = "signed_out";
  private transcript = new Transcript();
  private call: Call | null = null;
  private muted = false;
  private startedAt_ms = 0;
  /** Counts calls; what still arrives from an earlier one is not shown. */
  private attempt = 0;
  private lossTimer: number | undefined;

  constructor(private readonly signIn: SignIn) {
    this.view.signIn.addEventListener("click", () => void this.guarded(() => this.leaveToSignIn()));
    this.view.signOut.addEventListener("click", () => void this.guarded(() => this.signOut()));
    this.view.dial.addEventListener("click", () => void this.guarded(() => this.dial()));
    this.view.mute.addEventListener("click", () => this.toggleMute());
    this.view.hangUp.addEventListener("click", () => this.hangUp());
    window.addEventListener("pagehide", () => this.call?.hangUp());
    setInterval(() => this.tick(), CLOCK_MS);
  }

  async open(): Promise<void> {
    await this.guarded(() => this.signIn.completeReturn());
    await this.guarded(() => this.showCaller());
    this.draw();
  }

  private async showCaller(): Promise<void> {
    const caller = await this.signIn.caller();
    this.view.showCaller(caller?.name ?? null);
    this.apply(caller === null ? "signed_out" : "signed_in");
  }

  private async leaveToSignIn(): Promise<void> {
    this.view.showNotice(null);
    this.view.signIn.disabled = true;
    await this.signIn.leave().finally(() => {
      this.view.signIn.disabled = false;
    });
  }

  private async signOut(): Promise<void> {
    await this.signIn.forget();
    this.view.showNotice(null);
    this.view.showCaller(null);
    this.apply("signed_out");
  }

  private async dial(): Promise<void> {
    const caller = await this.signIn.caller();
    if (caller === null) {
      throw new PageError("Your sign-in has run out", "Sign in again to start a call.", true);
    }
    const attempt = this.beginCall();
    try {
      const call = await Call.dial(() => negotiate(caller.accessToken), this.callEvents(attempt));
      if (attempt === this.attempt && inCall(this.state)) this.call = call;
      else call.hangUp();
      if (this.muted) call.mute(true);
    } catch (error) {
      if (attempt !== this.attempt) return;
      this.endCall("refused");
      throw error;
    }
  }

  private beginCall(): number {
    this.attempt++;
    this.transcript = new Transcript();
    this.view.turns.reset();
    this.view.showNotice(null);
    this.muted = false;
    this.startedAt_ms = performance.now();
    this.view.lockAccount(true);
    this.apply("dialled");
    return this.attempt;
  }

  private callEvents(attempt: number): CallEvents {
    const current =
      <Args extends unknown[]>(show: (...args: Args) => void) =>
      (...args: Args): void => {
        if (attempt === this.attempt) show(...args);
      };
    return {
      heard: current((turn, text) => {
        this.view.turns.draw(this.transcript.hear(turn, text));
        this.apply("heard");
      }),
      said: current((turn, text) => this.view.turns.draw(this.transcript.say(turn, text))),
      waited: current((turn, wait) => this.view.turns.drawWait(turn, wait)),
      interrupted: current(() => {
        const turn = this.transcript.interrupt();
        if (turn !== null) this.view.turns.draw(turn);
      }),
      speaking: current((speaking) => this.apply(speaking ? "agent_started" : "agent_stopped")),
      callerLevel: current((level) => this.view.callerMeter.set(level)),
      agentLevel: current((level) => this.view.agentMeter.set(level)),
      reachable: current((reachable) => this.tellReachable(reachable)),
      ended: current((reason) => {
        this.endCall("ended");
        this.view.showEnding(endingNotice(reason));
      }),
    };
  }

  private tellReachable(reachable: boolean): void {
    window.clearTimeout(this.lossTimer);
    if (reachable) this.view.showNotice(null);
    else this.lossTimer = window.setTimeout(() => this.view.showNotice(RECONNECTING), WORTH_TELLING_MS);
  }

  private endCall(how: "ended" | "refused"): void {
    this.call = null;
    window.clearTimeout(this.lossTimer);
    this.view.showNotice(null);
    this.view.lockAccount(false);
    this.tick();
    this.apply(how);
  }

  private hangUp(): void {
    if (this.call !== null) {
      this.call.hangUp();
      return;
    }
    this.attempt++;
    this.endCall("ended");
    this.view.showEnding(endingNotice("caller_hung_up"));
  }

  private toggleMute(): void {
    this.muted = !this.muted;
    this.call?.mute(this.muted);
    this.draw();
  }

  /** Runs `action`; what it could not do is told on the page. */
  private async guarded(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (error instanceof PageError && error.signInAgain) await this.signOut();
      this.view.showNotice(noticeOf(error));
    }
  }

  private apply(event: CallEvent): void {
    this.state = nextState(this.state, event);
    this.draw();
  }

  private draw(): void {
    this.view.showState(this.state, this.muted);
    if (this.state === "signed_out" || this.state === "ready") this.view.showElapsed(null);
  }

  private tick(): void {
    if (inCall(this.state)) this.view.showElapsed(performance.now() - this.startedAt_ms);
  }
}

async function start(): Promise<void> {
  try {
    const config = await fetchSignInConfig();
    // The issuer leads back to one address only; what this tab keeps belongs to the origin on which it started.
    if (new URL(config.redirect_uri).origin !== location.origin) location.replace(config.redirect_uri);
    else await new Page(new SignIn(config)).open();
  } catch (error) {
    new View().showUnavailable(noticeOf(error));
  }
}

void start();
