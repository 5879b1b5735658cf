/** The app's own HTTP interface, as far as the page uses it. */

import { PageError, problemError } from "./notice";

const DEADLINE_MS = 15_000;

export interface SignInConfig {
  authority: string;
  client_id: string;
  scope: string;
  redirect_uri: string;
}

export interface Negotiation {
  call_id: string;
  url: string;
}

async function fetchJson(what: string, path: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, signal: AbortSignal.timeout(DEADLINE_MS), cache: "no-store" });
  } catch {
    throw new PageError("The server cannot be reached", "Check your network, then try again.");
  }
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw problemError(what, response.status, body);
  return body;
}

function hasStrings<K extends string>(body: unknown, keys: readonly K[]): body is Record<K, string> {
  return typeof body === "object" && body !== null && keys.every((key) => typeof Reflect.get(body, key) === "string");
}

export async function fetchSignInConfig(): Promise<SignInConfig> {
  const body = await fetchJson("Sign-in is not available", "/api/realtime/config", {});
  if (hasStrings(body, ["authority", "client_id", "scope", "redirect_uri"])) return body;
  throw new PageError("Sign-in is not available", "The server's sign-in settings are incomplete.");
}

/** Asks for a call. Raises: PageError with the title and detail of the refusal. */
export async function negotiate(accessToken: string): Promise<Negotiation> {
  const body = await fetchJson("The call was refused", "/api/realtime/negotiate", {
    method: "POST",
    headers: { Authorization: `Bearer ${accessToken}`, "Content-Type": "application/json" },
    body: "{}",
  });
  if (hasStrings(body, ["call_id", "url"])) return body;
  throw new PageError("The call was refused", "The server's answer was incomplete.");
}
