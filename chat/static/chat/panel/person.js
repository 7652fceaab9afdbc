/** Who the visitor is, as this browser knows: the token, what they told us, what the page around us said of them. */

import { request } from "../../ui/http.js";

export class Person {
  /** What the page said; it lives no longer than the page. */
  #said = { identity_jwt: undefined, attributes: undefined };

  constructor({ store, key, bridge }) {
    Object.assign(this, { store, key, bridge });
  }

  /** Read anew each time: another tab may have written. */
  get saved() {
    return this.store.get(this.key) || {};
  }

  get token() {
    return this.saved.visitor_token;
  }

  /** The e-mail address known of them, by themselves or by the page's word. */
  get email() {
    return this.saved.visitor_email || claims(this.#said.identity_jwt).email || "";
  }

  save(fields) {
    this.store.put(this.key, { ...this.saved, ...fields });
  }

  /** Go on as whom a link from a mail says, in the conversation it names. */
  takeUp({ visitor_token, conversation_id }) {
    const isSame = this.saved.conversation_id === conversation_id;
    this.save({ visitor_token, conversation_id, seq: isSame ? this.saved.seq : 0 });
  }

  forget() {
    this.store.remove(this.key);
    this.#said = {};
  }

  request(method, path, body) {
    return request(method, `/v1/chat/${path}`, body, { token: this.token });
  }

  /** Everything `POST /conversation/start` may hear of them. */
  introduction(language) {
    const { visitor_token, visitor_name, visitor_email, pre_chat } = this.saved;
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    return { visitor_token, visitor_name, visitor_email, pre_chat, language, timezone: timeZone, ...this.#said, ...this.bridge.page };
  }

  /** Take the page's word for who they are; true when they turn out to be somebody else, known from before. */
  async identify(identity_jwt) {
    if (!identity_jwt || identity_jwt === this.#said.identity_jwt) return false;
    this.#said.identity_jwt = identity_jwt;
    if (!this.token) return false;
    const answer = await this.change({ identity_jwt });
    if (answer.visitor_token) this.save({ visitor_token: answer.visitor_token });
    return Boolean(answer.visitor_token);
  }

  /** Go on without the page's word, which the server does not believe: that is its developers' to mend. */
  doubt(reason) {
    console.warn(`IRISX: ${reason}`);
    this.#said.identity_jwt = undefined;
    return true;
  }

  async describe(attributes) {
    this.#said.attributes = { ...this.#said.attributes, ...attributes };
    if (this.token) await this.change({ attributes });
  }

  change(fields) {
    return this.request("PATCH", "visitor", fields);
  }
}

/** What a JWT claims. The server alone can tell whether it is true; here it only saves a question. */
function claims(jwt) {
  try {
    const part = jwt.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0))));
  } catch (unreadable) {
    return {};
  }
}
