/** Who is calling: sign-in by authorization code with PKCE at the configured issuer, kept for this tab only. */

import { type User, UserManager, WebStorageStateStore } from "oidc-client-ts";

import type { SignInConfig } from "./api";
import { PageError } from "./notice";

const DEADLINE_SECONDS = 15;
/** A token that is about to expire would be refused on its way; it counts as expired already. */
const MARGIN_SECONDS = 30;

export interface Caller {
  name: string;
  accessToken: string;
}

function callerOf(user: User): Caller {
  const { name, preferred_username, email, emails } = user.profile as Record<string, unknown>;
  const named = [name, preferred_username, email, Array.isArray(emails) ? emails[0] : undefined].find(
    (value): value is string => typeof value === "string" && value !== "",
  );
  return { name: named ?? "signed in", accessToken: user.access_token };
}

/** Without `openid` there is no ID token, and so no name to greet the person by. */
function withOpenId(scope: string): string {
  return [...new Set(["openid", ...scope.split(" ").filter(Boolean)])].join(" ");
}

function signInError(error: unknown): PageError {
  const detail = error instanceof Error && error.message ? error.message : "The sign-in service did not answer.";
  return new PageError("Sign-in failed", detail);
}

export class SignIn {
  private readonly users: UserManager;

  constructor(config: SignInConfig) {
    this.users = new UserManager({
      ...config,
      scope: withOpenId(config.scope),
      response_type: "code",
      userStore: new WebStorageStateStore({ store: window.sessionStorage }),
      stateStore: new WebStorageStateStore({ store: window.sessionStorage }),
      automaticSilentRenew: false,
      loadUserInfo: false,
      requestTimeoutInSeconds: DEADLINE_SECONDS,
    });
  }

  /** Leaves for the issuer's page, which leads back here. Raises: PageError if the issuer cannot be reached. */
  async leave(): Promise<void> {
    await this.users.signinRedirect().catch((error: unknown) => {
      throw signInError(error);
    });
  }

  /** Takes what the issuer brought back in this page's address, if anything. Raises: PageError if it is a refusal. */
  async completeReturn(): Promise<void> {
    const query = new URLSearchParams(location.search);
    if (!query.has("state") || !(query.has("code") || query.has("error"))) return;
    const address = location.href;
    history.replaceState(null, "", location.pathname);
    await this.users.signinRedirectCallback(address).catch((error: unknown) => {
      throw signInError(error);
    });
  }

  /** The person who is signed in with a token that still holds, or null. */
  async caller(): Promise<Caller | null> {
    const user = await this.users.getUser();
    if (user === null || !user.access_token) return null;
    if (user.expires_in !== undefined && user.expires_in < MARGIN_SECONDS) return null;
    return callerOf(user);
  }

  async forget(): Promise<void> {
    await this.users.removeUser();
  }
}
