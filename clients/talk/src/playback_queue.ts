/** What is still to be played, piece by piece, so that the app learns exactly what its caller has heard. */

interface Piece {
  mark: string;
  samples: Float32Array;
  played: number;
}

/** A piece whose last sample stands at `offset` samples into the block that was just filled. */
export interface PlayedMark {
  mark: string;
  offset: number;
}

/** After sound breaks off, the last value fades by this factor a sample: no click, and silent within 20 ms. */
const FADE = 0.97;
const INAUDIBLE = 1e-4;

export class PlaybackQueue {
  private pieces: Piece[] = [];
  private last = 0;

  get queuedSamples(): number {
    return this.pieces.reduce((sum, piece) => sum + piece.samples.length - piece.played, 0);
  }

  get empty(): boolean {
    return this.pieces.length === 0;
  }

  enqueue(mark: string, samples: Float32Array): void {
    this.pieces.push({ mark, samples, played: 0 });
  }

  /** Throws away what is not yet played; its marks will not be reported. */
  clear(): void {
    this.pieces = [];
  }

  /** Fills `output` with what comes next, then with fading silence. The marks of the pieces that end in it. */
  pull(output: Float32Array): PlayedMark[] {
    const ended: PlayedMark[] = [];
    let filled = 0;
    let piece = this.pieces[0];
    while (piece !== undefined) {
      const count = Math.min(output.length - filled, piece.samples.length - piece.played);
      output.set(piece.samples.subarray(piece.played, piece.played + count), filled);
      piece.played += count;
      filled += count;
      if (count > 0) this.last = output[filled - 1] as number;
      if (piece.played < piece.samples.length) break;
      ended.push({ mark: piece.mark, offset: filled });
      this.pieces.shift();
      piece = this.pieces[0];
    }
    this.fade(output, filled);
    return ended;
  }

  private fade(output: Float32Array, from: number): void {
    for (let i = from; i < output.length; i++) {
      this.last = Math.abs(this.last) < INAUDIBLE ? 0 : this.last * FADE;
      output[i] = this.last;
    }
  }
}
