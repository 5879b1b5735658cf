/** A level meter that rises at once and falls slowly, as needles do, drawn without a layout. */

const FALL_PER_FRAME = 0.88;
const SPOKEN_INTERVAL_MS = 500;

export class Meter {
  private target = 0;
  private shown = 0;
  private running = false;
  private spokenAt_ms = 0;

  /** `property` is set on `stage` too, so that the picture can follow the sound. */
  constructor(
    private readonly element: HTMLElement,
    private readonly stage: HTMLElement,
    private readonly property: string,
  ) {}

  /** `level`: 0 … 1. */
  set(level: number): void {
    this.target = level;
    if (this.running) return;
    this.running = true;
    requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.shown = Math.max(this.target, this.shown * FALL_PER_FRAME);
    if (this.shown < 0.005) this.shown = 0;
    const value = this.shown.toFixed(3);
    this.element.style.setProperty("--level", value);
    this.stage.style.setProperty(this.property, value);
    this.speak();
    this.running = this.shown > 0;
    if (this.running) requestAnimationFrame(() => this.draw());
  }

  private speak(): void {
    const now_ms = performance.now();
    if (this.shown > 0 && now_ms - this.spokenAt_ms < SPOKEN_INTERVAL_MS) return;
    this.spokenAt_ms = now_ms;
    this.element.setAttribute("aria-valuenow", String(Math.round(this.shown * 100)));
  }
}
