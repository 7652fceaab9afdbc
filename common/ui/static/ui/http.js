/** JSON over HTTP. A refusal becomes a Problem (RFC 9457), a dead line a Disconnected: callers treat the two apart. */

export class Problem extends Error {
  constructor(body = {}, status = body.status || 0, retryAfter = 0) {
    super(body.errors?.[0]?.detail || body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.code = body.errors?.[0]?.code || body.code || "";
    this.retryAfter = retryAfter;
    this.body = body;
  }

  /** Whether the same request may succeed later without a change. */
  get isPassing() {
    return this.status === 429 || this.status === 408 || this.status >= 500;
  }
}

export class Disconnected extends Error {}

/** Send one request; `token` signs in as a visitor, `csrf` as the session's user, neither as nobody. Gives up after 15 s. */
export async function request(method, path, body, { token = "", csrf = "" } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  if (csrf) headers["X-CSRFToken"] = csrf;
  const answer = await fetched(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: csrf ? "same-origin" : "omit",
  });
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  throw new Problem(content, answer.status, Number(answer.headers.get("Retry-After")) || 0);
}

async function fetched(path, options) {
  try {
    return await fetch(path, { ...options, signal: AbortSignal.timeout?.(15_000) });
  } catch (cause) {
    throw new Disconnected("The server could not be reached.", { cause });
  }
}
