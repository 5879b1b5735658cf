/** One call, from asking for the microphone to the last word: sound and messages in, events for the page out. */

import type { Negotiation } from "./api";
import { openAudioContext } from "./audio_context";
import { Link } from "./link";
import { Microphone, releaseMicrophone, requestMicrophone } from "./microphone";
import { noticeOf } from "./notice";
import type { ServerMessage } from "./protocol";
import { Speaker } from "./speaker";
import type { Wait } from "./wait";

/** After the call has ended, the agent may finish what is already here, for as long as this. */
const LAST_WORDS_MS = 15_000;
const POLL_MS = 50;

export interface CallEvents {
  heard(turn: number, text: string): void;
  said(turn: number, text: string): void;
  /** How long the caller waited for the answer of `turn`, and for what. */
  waited(turn: number, wait: Wait): void;
  interrupted(): void;
  speaking(speaking: boolean): void;
  callerLevel(level: number): void;
  agentLevel(level: number): void;
  reachable(reachable: boolean): void;
  ended(reason: string): void;
}

export class Call {
  private readonly link: Link;
  private readonly speaker: Speaker;
  private readonly microphone: Microphone;
  private live = false;
  private ended = false;

  private constructor(
    url: string,
    stream: MediaStream,
    private readonly context: AudioContext,
    private readonly events: CallEvents,
  ) {
    this.link = new Link(url, {
      message: (message) => this.onMessage(message),
      reachable: (reachable) => this.events.reachable(reachable),
      lost: () => this.end("connection_lost", false),
    });
    this.speaker = new Speaker(context, {
      heard: (mark) => {
        if (mark) this.link.sendMark(mark);
      },
      speaking: (speaking) => this.events.speaking(speaking),
      level: (level) => this.events.agentLevel(level),
    });
    this.microphone = new Microphone(context, stream, {
      frame: ({ pcm, level }) => this.onFrame(pcm, level),
      lost: () => this.end("microphone_lost", true),
    });
  }

  /**
   * The microphone first, so that no call is created which could not be held. Raises: PageError; nothing is left
   * open then.
   */
  static async dial(negotiate: () => Promise<Negotiation>, events: CallEvents): Promise<Call> {
    const stream = await requestMicrophone();
    let context: AudioContext | null = null;
    let call: Call | null = null;
    try {
      context = await openAudioContext(stream);
      const { url } = await negotiate();
      call = new Call(url, stream, context, events);
      await call.open();
      return call;
    } catch (error) {
      call?.abandon();
      releaseMicrophone(stream);
      await context?.close();
      throw error;
    }
  }

  private async open(): Promise<void> {
    await this.link.open();
    this.live = true;
  }

  private abandon(): void {
    this.ended = true;
    this.link.close(false);
  }

  mute(muted: boolean): void {
    this.microphone.mute(muted);
  }

  hangUp(): void {
    this.speaker.clear();
    this.end("caller_hung_up", true);
  }

  private onFrame(pcm: ArrayBuffer, level: number): void {
    if (!this.live || this.ended) return;
    this.events.callerLevel(level);
    this.link.sendAudio(pcm);
  }

  private onMessage(message: ServerMessage): void {
    if (this.ended) return;
    switch (message.type) {
      case "audio":
        this.play(message.mark, message.payload);
        break;
      case "clear":
        if (this.speaker.busy) this.events.interrupted();
        this.speaker.clear();
        break;
      case "heard":
        this.events.heard(message.turn, message.text);
        break;
      case "said":
        this.events.said(message.turn, message.text);
        break;
      case "turn":
        if (message.wait !== null) this.events.waited(message.turn, message.wait);
        break;
      case "ended":
        this.end(message.reason, false);
        break;
    }
  }

  private play(mark: string, payload: string): void {
    try {
      this.speaker.play(mark, payload);
    } catch (error) {
      console.error(`a piece of audio was not playable: ${noticeOf(error).detail}`);
    }
  }

  private end(reason: string, sayStop: boolean): void {
    if (this.ended) return;
    this.ended = true;
    this.link.close(sayStop);
    this.microphone.close();
    this.events.callerLevel(0);
    this.events.ended(reason);
    void this.finishSpeaking();
  }

  private async finishSpeaking(): Promise<void> {
    const deadline_ms = performance.now() + LAST_WORDS_MS;
    while (this.speaker.busy && performance.now() < deadline_ms) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    this.speaker.close();
    this.events.agentLevel(0);
    await this.context.close();
  }
}
