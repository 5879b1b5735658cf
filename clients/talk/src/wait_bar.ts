/** Draws a turn's wait: a bar of coloured parts to look at, which opens into a table to read. */

import { type Part, STAGES, type Wait, msText, stageName } from "./wait";

function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...content: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.append(...content);
  return element;
}

function swatch(stage: string): HTMLElement {
  const element = make("span", "swatch");
  element.dataset.stage = stage;
  return element;
}

/** What the colours of all bars mean. */
export function drawLegend(legend: HTMLElement): void {
  const names = Object.keys(STAGES).map((stage) => make("li", "", swatch(stage), stageName(stage)));
  legend.replaceChildren(make("p", "", "Until the answer sounds:"), make("ul", "", ...names));
}

export class WaitBar {
  readonly element = make("details", "wait");
  private readonly summary = make("summary", "");
  private readonly account = make("div", "account-of-wait");

  constructor() {
    // The words are what a screen reader should hear as they come; this is there for those who ask for it.
    this.element.setAttribute("aria-live", "off");
    this.element.append(this.summary, this.account);
  }

  draw(wait: Wait): void {
    const total = make("span", "total", make("span", "unseen", "Answered after "), msText(wait.total_ms));
    this.summary.replaceChildren(bar(wait), total);
    const told = wait.notes.map((note) => make("p", "", note));
    this.account.replaceChildren(table(wait), ...told);
  }
}

function bar(wait: Wait): HTMLElement {
  const parts = wait.parts.filter((part) => part.took_ms > 0);
  const coloured = make("span", "parts", ...parts.map(segment));
  coloured.style.setProperty("--total", String(wait.total_ms));
  if (wait.filler_ms !== null) coloured.append(fillerMark(wait.filler_ms / wait.total_ms));
  const whole = make("span", "bar", coloured);
  whole.setAttribute("aria-hidden", "true");
  return whole;
}

function segment(part: Part): HTMLElement {
  const element = make("span", "part");
  element.dataset.stage = part.stage;
  element.title = `${stageName(part.stage)}: ${msText(part.took_ms)}`;
  element.style.setProperty("--ms", String(part.took_ms));
  return element;
}

function fillerMark(at: number): HTMLElement {
  const mark = make("span", "filler");
  mark.title = "A filler was spoken";
  mark.style.setProperty("--at", String(Math.min(1, at)));
  return mark;
}

function table(wait: Wait): HTMLTableElement {
  const caption = wait.speculation ? "What you waited for; the answer had begun before you had finished" : "What you waited for";
  const filler = wait.filler_ms === null ? [] : [row("A filler was spoken after", msText(wait.filler_ms), "")];
  return make(
    "table",
    "",
    make("caption", "", caption),
    make("thead", "", make("tr", "", heading("Stage", "col"), heading("Waited", "col"), heading("Ready before", "col"))),
    make("tbody", "", ...wait.parts.map(partRow), ...filler),
    make("tfoot", "", row("Together", msText(wait.total_ms), "")),
  );
}

function partRow(part: Part): HTMLTableRowElement {
  const earlier = part.prepared_ms === null ? "" : msText(part.prepared_ms);
  const line = row(stageName(part.stage), msText(part.took_ms), earlier);
  line.firstElementChild?.prepend(swatch(part.stage));
  return line;
}

function row(name: string, ...cells: string[]): HTMLTableRowElement {
  return make("tr", "", heading(name, "row"), ...cells.map((text) => make("td", "", text)));
}

function heading(text: string, scope: "col" | "row"): HTMLElement {
  const cell = make("th", "", text);
  cell.scope = scope;
  return cell;
}
