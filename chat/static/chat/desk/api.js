/** The desk's calls of the HTTP API, as the session's user. */

import { request } from "../../ui/http.js";
import { upload } from "../../ui/upload.js";

export class Api {
  constructor(csrf) {
    this.csrf = csrf;
  }

  call(method, path, body) {
    return request(method, `/v1/${path}`, body, { csrf: this.csrf });
  }

  get(path, query = {}) {
    const asked = new URLSearchParams(query).toString();
    return this.call("GET", asked ? `chat/${path}?${asked}` : `chat/${path}`);
  }

  post(path, body = {}) {
    return this.call("POST", `chat/${path}`, body);
  }

  patch(path, body) {
    return this.call("PATCH", `chat/${path}`, body);
  }

  remove(path) {
    return this.call("DELETE", `chat/${path}`);
  }

  async ticket() {
    const { ticket } = await this.call("POST", "auth/ticket", {});
    return { ticket };
  }

  /** One page of conversations by `status`, `visitor`, `updated_after`; `next` of the answer is the address of the following one. */
  conversations(query) {
    return this.get("agent/conversations", query);
  }

  page(address) {
    const { pathname, search } = new URL(address, location.href);
    return request("GET", pathname + search, undefined, { csrf: this.csrf });
  }

  events(id, after, limit) {
    return this.get(`conversation/${id}/events`, { after_seq: after, limit });
  }

  /** Do something with a conversation; the answer is its row. */
  act(id, verb, body) {
    return this.post(`conversation/${id}/${verb}`, body);
  }

  sendFile(conversation_id, file, { onProgress, signal }) {
    return upload("/v1/chat/attachments", { conversation_id, file }, { csrf: this.csrf, onProgress, signal });
  }
}
