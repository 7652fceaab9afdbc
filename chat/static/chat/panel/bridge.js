/** The panel's talk with the launcher on the host page. The first page to answer is the one we go on trusting. */

import { Problem, request } from "../../ui/http.js";

const TOKEN_SECONDS = 10;
const KEPT_SECONDS = 4;

export class Bridge {
  #widgetKey;
  #origin = "";
  #waiting = [];
  #early = [];
  #hear = (message) => this.#early.push(message);
  #introduce;
  #introduction = new Promise((resolve) => (this.#introduce = resolve));

  /** `widgetKey`: whose panel this is, when it stands on a page of its own. */
  constructor(widgetKey = "") {
    this.#widgetKey = widgetKey;
    this.page = {};
    this.onKept = () => {};
    this.token = "";
    window.addEventListener("message", (event) => this.#receive(event));
  }

  /** Hear what the launcher says, from its window and its origin only; first what it said already. */
  listen(hear) {
    this.#hear = hear;
    for (const message of this.#early.splice(0)) hear(message);
  }

  /** Say that we are here. The only message sent without a known origin, and it carries nothing. */
  greet() {
    if (window.parent !== window) window.parent.postMessage({ irisx: 1, type: "panel.ready" }, "*");
  }

  tell(type, fields = {}) {
    if (this.#origin) window.parent.postMessage({ irisx: 1, type, ...fields }, this.#origin);
  }

  /** Return the embed token that lets us start a conversation; `fresh` asks the launcher for a new one. */
  embedToken(fresh = false) {
    if (this.token && !fresh) return Promise.resolve(this.token);
    if (window.parent === window) return this.#ownToken();
    this.tell("embed_token.expired");
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Problem({ detail: "The page around this chat does not answer." }, 503)), TOKEN_SECONDS * 1000);
      this.#waiting.push((token) => (clearTimeout(timer), resolve(token)));
    });
  }

  /** A page of ours that was opened by a link from a mail is as good as the site's own. */
  async #ownToken() {
    if (!this.#widgetKey) throw new Problem({ detail: "This chat opens inside the site it belongs to." }, 403);
    const { embed_token } = await request("GET", `/v1/chat/widget/${this.#widgetKey}`);
    return (this.token = embed_token);
  }

  /** Return what the launcher keeps for us; nothing when no launcher answers. */
  kept() {
    const nothing = new Promise((resolve) => setTimeout(resolve, window.parent === window ? 0 : KEPT_SECONDS * 1000, {}));
    return Promise.race([this.#introduction, nothing]);
  }

  #receive(event) {
    const message = event.data;
    if (event.source !== window.parent || window.parent === window || message?.irisx !== 1) return;
    if (this.#origin && event.origin !== this.#origin) return;
    this.#origin = event.origin;
    if (message.type === "init" || message.type === "token") this.#introduced(message);
    if (message.type === "init" || message.type === "page") this.#remember(message);
    if (message.type === "kept") this.onKept(message.kept);
    this.#hear(message);
  }

  #introduced({ embed_token, kept }) {
    this.token = embed_token;
    this.#introduce(kept ?? {});
    for (const resolve of this.#waiting.splice(0)) resolve(embed_token);
  }

  #remember({ page_url, page_title, referrer }) {
    this.page = { page_url, page_title, referrer };
  }
}
