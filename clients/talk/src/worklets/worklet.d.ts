/** The global scope of an AudioWorklet, as far as it is used here. Source: Web Audio API, AudioWorkletGlobalScope. */

declare const sampleRate: number;
declare const currentFrame: number;

declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
}

declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** Where the build has put the two worklets, as addresses on this site. */
declare const CAPTURE_WORKLET_URL: string;
declare const PLAYBACK_WORKLET_URL: string;
