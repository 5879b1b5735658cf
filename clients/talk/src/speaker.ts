/** The agent's side of the sound: plays the pieces in order and tells which ones the caller has really heard. */

import { floatFromBase64 } from "./pcm";
import { SAMPLE_RATE_HZ } from "./protocol";
import { Resampler } from "./resampler";
import type { PlaybackCommand, PlaybackReport } from "./worklets/playback";

/** Between two pieces of one reply the network may be late by as much, without the agent having stopped. */
const GAP_MS = 350;

export interface SpeakerEvents {
  /** The last sample of the piece has left the loudspeaker. */
  heard(mark: string): void;
  speaking(speaking: boolean): void;
  level(level: number): void;
}

export class Speaker {
  private readonly node: AudioWorkletNode;
  private resampler: Resampler;
  private speaking = false;
  private quietSince_ms = 0;
  private queuedMarks = 0;

  /** The playback worklet must be loaded in `context`. */
  constructor(
    private readonly context: AudioContext,
    private readonly events: SpeakerEvents,
  ) {
    this.resampler = new Resampler(SAMPLE_RATE_HZ, context.sampleRate);
    this.node = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    this.node.port.onmessage = ({ data }: MessageEvent<PlaybackReport>) => this.onReport(data);
    this.node.connect(context.destination);
  }

  /** Whether pieces wait to be played. */
  get busy(): boolean {
    return this.queuedMarks > 0;
  }

  play(mark: string, payload: string): void {
    const samples = this.resampler.process(floatFromBase64(payload));
    this.queuedMarks++;
    this.command({ type: "enqueue", mark, samples }, [samples.buffer]);
  }

  clear(): void {
    this.queuedMarks = 0;
    this.resampler = new Resampler(SAMPLE_RATE_HZ, this.context.sampleRate);
    this.command({ type: "clear" }, []);
  }

  close(): void {
    this.node.port.onmessage = null;
    this.node.disconnect();
  }

  private onReport(report: PlaybackReport): void {
    if (report.type === "played") {
      this.queuedMarks = Math.max(0, this.queuedMarks - 1);
      const untilHeard_s = report.at_s - this.context.currentTime + (this.context.outputLatency || 0);
      setTimeout(() => this.events.heard(report.mark), Math.max(0, untilHeard_s * 1000));
      return;
    }
    this.events.level(report.level);
    const now_ms = performance.now();
    if (report.playing) this.quietSince_ms = now_ms;
    const speaking = now_ms - this.quietSince_ms < GAP_MS;
    if (speaking !== this.speaking) {
      this.speaking = speaking;
      this.events.speaking(speaking);
    }
  }

  private command(command: PlaybackCommand, transfer: Transferable[]): void {
    this.node.port.postMessage(command, transfer);
  }
}
