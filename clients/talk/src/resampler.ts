/** Changes the sample rate of a running stream, for browsers that refuse an audio context at 16 kHz. */

const ZERO_CROSSINGS = 16;

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** One row of a windowed-sinc low-pass (Hann) per phase, each scaled to unit gain. */
function phaseTable(up: number, cutoff: number, halfWidth: number): Float32Array[] {
  return Array.from({ length: up }, (_, phase) => {
    const taps = new Float32Array(2 * halfWidth);
    let gain = 0;
    for (let k = 0; k < taps.length; k++) {
      const distance = k - halfWidth + 1 - phase / up;
      const angle = Math.PI * cutoff * distance;
      const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * distance) / halfWidth);
      taps[k] = sinc * window;
      gain += taps[k] as number;
    }
    return taps.map((tap) => tap / gain);
  });
}

/** Polyphase resampler with exact rational ratio; delays by `ZERO_CROSSINGS` samples of the lower rate. */
export class Resampler {
  private readonly up: number;
  private readonly down: number;
  private readonly halfWidth: number;
  private readonly phases: Float32Array[];
  private pending: Float32Array;
  private phase = 0;

  constructor(fromHz: number, toHz: number) {
    const divisor = greatestCommonDivisor(fromHz, toHz);
    this.up = toHz / divisor;
    this.down = fromHz / divisor;
    const cutoff = Math.min(1, toHz / fromHz);
    this.halfWidth = Math.ceil(ZERO_CROSSINGS / cutoff);
    this.phases = phaseTable(this.up, cutoff, this.halfWidth);
    this.pending = new Float32Array(this.halfWidth);
  }

  /** The samples at the new rate that the stream so far allows. */
  process(input: Float32Array): Float32Array<ArrayBuffer> {
    if (this.up === this.down) return Float32Array.from(input);
    const held = new Float32Array(this.pending.length + input.length);
    held.set(this.pending);
    held.set(input, this.pending.length);
    const width = 2 * this.halfWidth;
    const output: number[] = [];
    let start = 0;
    while (start + width <= held.length) {
      const taps = this.phases[this.phase] as Float32Array;
      let sum = 0;
      for (let k = 0; k < width; k++) sum += (held[start + k] as number) * (taps[k] as number);
      output.push(sum);
      this.phase += this.down;
      start += Math.floor(this.phase / this.up);
      this.phase %= this.up;
    }
    this.pending = held.slice(start);
    return Float32Array.from(output);
  }
}
