/** On the audio thread: plays the queued pieces and reports, to the sample, when each one has ended. */

import { Framer } from "../framer";
import { loudness } from "../pcm";
import { PlaybackQueue } from "../playback_queue";

/** `enqueue` adds a piece at the context's rate; `clear` throws away what is not yet played. */
export type PlaybackCommand = { type: "enqueue"; mark: string; samples: Float32Array } | { type: "clear" };

/** `at_s` is on the audio context's clock. `level` comes about every 50 ms, also while nothing is played. */
export type PlaybackReport =
  | { type: "played"; mark: string; at_s: number }
  | { type: "level"; level: number; playing: boolean };

const LEVEL_INTERVAL_S = 0.05;

class Playback extends AudioWorkletProcessor {
  private readonly queue = new PlaybackQueue();
  private readonly windows = new Framer(Math.round(sampleRate * LEVEL_INTERVAL_S));
  private playing = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<PlaybackCommand>) => {
      if (data.type === "enqueue") this.queue.enqueue(data.mark, data.samples);
      else this.queue.clear();
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const [first, ...others] = outputs[0] ?? [];
    if (first === undefined) return true;
    this.playing ||= !this.queue.empty;
    for (const { mark, offset } of this.queue.pull(first)) {
      this.report({ type: "played", mark, at_s: (currentFrame + offset) / sampleRate });
    }
    for (const channel of others) channel.set(first);
    for (const window of this.windows.push(first)) {
      this.report({ type: "level", level: loudness(window), playing: this.playing });
      this.playing = !this.queue.empty;
    }
    return true;
  }

  private report(report: PlaybackReport): void {
    this.port.postMessage(report);
  }
}

registerProcessor("playback", Playback);
