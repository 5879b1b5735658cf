/** What goes wrong or ends on this page, in words that tell a person what to do. */

export interface Notice {
  tone: "error" | "info";
  title: string;
  detail: string;
}

/** A failure whose message is meant for the person on the page. */
export class PageError extends Error {
  constructor(
    readonly title: string,
    readonly detail: string,
    /** The token is missing, too old or refused: only signing in again helps. */
    readonly signInAgain = false,
  ) {
    super(`${title}: ${detail}`);
  }
}

export function noticeOf(error: unknown): Notice {
  if (error instanceof PageError) return { tone: "error", title: error.title, detail: error.detail };
  const detail = error instanceof Error ? error.message : String(error);
  return { tone: "error", title: "Something went wrong", detail };
}

const MICROPHONE: Readonly<Record<string, [string, string]>> = {
  NotAllowedError: [
    "The microphone is blocked",
    "Allow this page to use the microphone in your browser's address bar, then start the call again.",
  ],
  NotFoundError: ["No microphone was found", "Connect a microphone or a headset, then start the call again."],
  NotReadableError: [
    "The microphone is busy",
    "Another program seems to use it. Close that program, then start the call again.",
  ],
};

/** Explains why `getUserMedia` failed, by the name of its error. */
export function microphoneError(error: unknown): PageError {
  const name = error instanceof Error ? error.name : "";
  const detail = error instanceof Error ? error.message : String(error);
  const [title, advice] = MICROPHONE[name] ?? ["The microphone could not be used", detail];
  return new PageError(title, advice);
}

/** Explains a refusal by its RFC 9457 problem details, or by its status where there are none. */
export function problemError(what: string, status: number, body: unknown): PageError {
  const problem = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const title = typeof problem.title === "string" && problem.title ? problem.title : what;
  const detail =
    typeof problem.detail === "string" && problem.detail ? problem.detail : `The server answered with status ${status}.`;
  if (status === 401) {
    return new PageError("Your sign-in is no longer valid", `Sign in again to start a call. (${detail})`, true);
  }
  return new PageError(title, detail);
}

const ENDINGS: Readonly<Record<string, Notice>> = {
  caller_hung_up: { tone: "info", title: "Call ended", detail: "You hung up." },
  operator_hung_up: { tone: "info", title: "Call ended", detail: "An operator ended the call." },
  silent: { tone: "info", title: "Call ended", detail: "Nobody had spoken for a while." },
  too_long: { tone: "info", title: "Call ended", detail: "The call had reached its longest allowed time." },
  no_media: {
    tone: "error",
    title: "The agent could not hear you",
    detail: "No sound arrived from your microphone. Check that the right one is chosen.",
  },
  error: { tone: "error", title: "The call broke off", detail: "Something failed on our side. Please try again." },
  connection_lost: {
    tone: "error",
    title: "Connection lost",
    detail: "It could not be restored. Check your network, then start the call again.",
  },
  microphone_lost: {
    tone: "error",
    title: "The microphone was disconnected",
    detail: "Connect it again, then start a new call.",
  },
};

/** What to say when a call has ended for `reason`; reasons that this page does not know are shown as they are. */
export function endingNotice(reason: string): Notice {
  return ENDINGS[reason] ?? { tone: "info", title: "Call ended", detail: `Reason: ${reason.replaceAll("_", " ")}.` };
}
