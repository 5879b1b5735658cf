/** One audio context for both sides, at the wire's 16 kHz where the browser allows it. */

import { SAMPLE_RATE_HZ } from "./protocol";

async function prepared(context: AudioContext): Promise<AudioContext> {
  await context.resume();
  await Promise.all([
    context.audioWorklet.addModule(CAPTURE_WORKLET_URL),
    context.audioWorklet.addModule(PLAYBACK_WORKLET_URL),
  ]);
  return context;
}

/**
 * A running context with both worklets. Some browsers refuse to bring a microphone of another rate into a 16 kHz
 * context; they get one at the device's rate, and the worklets resample.
 */
export async function openAudioContext(microphone: MediaStream): Promise<AudioContext> {
  const context = new AudioContext({ sampleRate: SAMPLE_RATE_HZ, latencyHint: "interactive" });
  try {
    context.createMediaStreamSource(microphone).disconnect();
  } catch {
    await context.close();
    return prepared(new AudioContext({ latencyHint: "interactive" }));
  }
  return prepared(context);
}
