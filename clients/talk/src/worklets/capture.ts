/** On the audio thread: the microphone's blocks become 60 ms frames of PCM16 at 16 kHz. */

import { Framer } from "../framer";
import { loudness, pcm16FromFloat } from "../pcm";
import { FRAME_SAMPLES, SAMPLE_RATE_HZ } from "../protocol";
import { Resampler } from "../resampler";

export interface CapturedFrame {
  pcm: ArrayBuffer;
  level: number;
}

class Capture extends AudioWorkletProcessor {
  private readonly resampler = new Resampler(sampleRate, SAMPLE_RATE_HZ);
  private readonly framer = new Framer(FRAME_SAMPLES);

  process(inputs: Float32Array[][]): boolean {
    const block = inputs[0]?.[0];
    if (block === undefined) return true;
    for (const frame of this.framer.push(this.resampler.process(block))) {
      const pcm = pcm16FromFloat(frame).buffer;
      const captured: CapturedFrame = { pcm, level: loudness(frame) };
      this.port.postMessage(captured, [pcm]);
    }
    return true;
  }
}

registerProcessor("capture", Capture);
