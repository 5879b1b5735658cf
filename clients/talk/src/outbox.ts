/** Keeps the order of what the page sends, and what a short loss of the connection would swallow. */

export type Outgoing =
  | { event: "audio"; dataType: "binary"; content: ArrayBuffer }
  | { event: "start" | "mark" | "stop"; dataType: "json"; content: Record<string, unknown> };

/** Rejects when the message did not go out; it is then tried again with the next one. */
export type Send = (message: Outgoing) => Promise<void>;

/**
 * A queue in front of a connection that may be down for some seconds. Marks and the like always wait; of audio
 * only the newest `maxAudioFrames` do, since old speech is worth less than being in time again.
 */
export class Outbox {
  private queue: Outgoing[] = [];
  private flushing = false;

  /** `onReachable` hears whether the last message went out, only when that changes. */
  constructor(
    private readonly send: Send,
    private readonly maxAudioFrames: number,
    private readonly onReachable: (reachable: boolean) => void,
  ) {}

  private reachable = true;

  get waiting(): number {
    return this.queue.length;
  }

  async post(message: Outgoing): Promise<void> {
    this.queue.push(message);
    if (this.flushing) return;
    this.flushing = true;
    let reachable = true;
    try {
      for (let next = this.queue[0]; next !== undefined; next = this.queue[0]) {
        await this.send(next);
        this.queue.shift();
      }
    } catch {
      // The connection is down; the caller is told below, and the next message tries again.
      reachable = false;
      this.dropOldAudio();
    }
    this.flushing = false;
    if (reachable !== this.reachable) {
      this.reachable = reachable;
      this.onReachable(reachable);
    }
  }

  private dropOldAudio(): void {
    let surplus = this.queue.filter((message) => message.event === "audio").length - this.maxAudioFrames;
    this.queue = this.queue.filter((message) => message.event !== "audio" || surplus-- <= 0);
  }
}
