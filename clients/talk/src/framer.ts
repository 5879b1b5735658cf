/** Cuts a running stream of samples, which comes in blocks of any length, into frames of one length. */

export class Framer {
  private frame: Float32Array;
  private filled = 0;

  constructor(private readonly frameSamples: number) {
    this.frame = new Float32Array(frameSamples);
  }

  /** The frames that `samples` completes, oldest first; the rest waits for the next call. */
  push(samples: Float32Array): Float32Array[] {
    const complete: Float32Array[] = [];
    let taken = 0;
    while (taken < samples.length) {
      const count = Math.min(samples.length - taken, this.frameSamples - this.filled);
      this.frame.set(samples.subarray(taken, taken + count), this.filled);
      this.filled += count;
      taken += count;
      if (this.filled === this.frameSamples) {
        complete.push(this.frame);
        this.frame = new Float32Array(this.frameSamples);
        this.filled = 0;
      }
    }
    return complete;
  }
}
