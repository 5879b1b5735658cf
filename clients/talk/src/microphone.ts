/** The caller's side of the sound: permission, capture, mute. */

import { PageError, microphoneError } from "./notice";
import type { CapturedFrame } from "./worklets/capture";

/** Asks for the microphone, with the browser's own echo and noise handling. Raises: PageError. */
export async function requestMicrophone(): Promise<MediaStream> {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) {
    throw new PageError("This page cannot use the microphone", "Open it over https, or on localhost.");
  }
  try {
    return await devices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
  } catch (error) {
    throw microphoneError(error);
  }
}

export function releaseMicrophone(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

export interface MicrophoneEvents {
  frame(frame: CapturedFrame): void;
  /** The device was unplugged or taken away. */
  lost(): void;
}

export class Microphone {
  private readonly node: AudioWorkletNode;

  /** The capture worklet must be loaded in `context`. Raises: DOMException if the context's rate is refused. */
  constructor(
    context: AudioContext,
    private readonly stream: MediaStream,
    events: MicrophoneEvents,
  ) {
    const source = context.createMediaStreamSource(stream);
    this.node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, channelCount: 1 });
    this.node.port.onmessage = ({ data }: MessageEvent<CapturedFrame>) => events.frame(data);
    for (const track of stream.getAudioTracks()) track.addEventListener("ended", () => events.lost());
    source.connect(this.node);
  }

  /** A muted microphone goes on to send frames, of silence: the call's time goes on. */
  mute(muted: boolean): void {
    for (const track of this.stream.getAudioTracks()) track.enabled = !muted;
  }

  close(): void {
    this.node.port.onmessage = null;
    this.node.disconnect();
    releaseMicrophone(this.stream);
  }
}
