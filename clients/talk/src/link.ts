/** The page's end of the Web PubSub connection: ordered sending, checked receiving, and honest news of its health. */

import { WebPubSubClient } from "@azure/web-pubsub-client";

import { PageError } from "./notice";
import { type Outgoing, Outbox } from "./outbox";
import { FRAME_MS, SAMPLE_RATE_HZ, type ServerMessage, parseServerMessage } from "./protocol";

const CONNECT_DEADLINE_MS = 15_000;
const KEPT_AUDIO_MS = 3_000;
const STOP_AGAIN_MS = 500;
/** The client looks for a dead connection at a third of its time-out, by the pongs that came. */
const PING_MS = 4_000;
const PONG_TIMEOUT_MS = 12_000;

export interface LinkEvents {
  message(message: ServerMessage): void;
  reachable(reachable: boolean): void;
  /** The connection is gone for good, by neither side's wish. */
  lost(): void;
}

export class Link {
  private readonly client: WebPubSubClient;
  private readonly outbox: Outbox;
  private closing = false;
  private stopped = false;

  constructor(url: string, events: LinkEvents) {
    // A recovered connection keeps its call; a new one would not, so the client must not open one by itself.
    this.client = new WebPubSubClient(url, {
      autoReconnect: false,
      keepAliveIntervalInMs: PING_MS,
      keepAliveTimeoutInMs: PONG_TIMEOUT_MS,
      messageRetryOptions: { maxRetries: 0 },
    });
    this.outbox = new Outbox((message) => this.send(message), KEPT_AUDIO_MS / FRAME_MS, (reachable) => {
      if (!this.closing) events.reachable(reachable);
    });
    this.client.on("server-message", ({ message }) => {
      const parsed = parseServerMessage(message.data);
      if (parsed !== null && !this.closing) events.message(parsed);
    });
    this.client.on("stopped", () => {
      this.stopped = true;
      if (!this.closing) events.lost();
    });
  }

  /** Raises: PageError when the connection does not stand within its deadline. */
  async open(): Promise<void> {
    const deadline = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error("deadline")), CONNECT_DEADLINE_MS);
    });
    const started = this.client.start().catch((error: unknown) => {
      this.stopped = true;
      throw error;
    });
    try {
      await Promise.race([started, deadline]);
    } catch {
      throw new PageError("The call could not be connected", "The realtime service did not answer. Please try again.");
    }
    this.post({ event: "start", dataType: "json", content: { sample_rate_hz: SAMPLE_RATE_HZ } });
  }

  sendAudio(frame: ArrayBuffer): void {
    this.post({ event: "audio", dataType: "binary", content: frame });
  }

  sendMark(name: string): void {
    this.post({ event: "mark", dataType: "json", content: { name } });
  }

  /** Says `stop` if the call is still the app's too, then closes. */
  close(sayStop: boolean): void {
    if (this.closing) return;
    if (sayStop) this.post({ event: "stop", dataType: "json", content: {} });
    this.closing = true;
    this.stopUntilStopped();
  }

  /** The client ignores `stop` while it recovers a lost connection, and would then hold on to it for ever. */
  private stopUntilStopped(): void {
    if (this.stopped) return;
    this.client.stop();
    setTimeout(() => this.stopUntilStopped(), STOP_AGAIN_MS);
  }

  private post(message: Outgoing): void {
    if (!this.closing) void this.outbox.post(message);
  }

  private async send({ event, content, dataType }: Outgoing): Promise<void> {
    await this.client.sendEvent(event, content, dataType, { fireAndForget: true });
  }
}
