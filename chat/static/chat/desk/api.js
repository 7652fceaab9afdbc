/** The desk's calls of the HTTP API, as the session's user. */

import { request } from "../../ui/http.js";

export class Api {
  constructor(csrf) {
    this.csrf = csrf;
  }

  call(method, path, body) {
    return request(method, `/v1/${path}`, body, { csrf: this.csrf });
  }

  async ticket() {
    const { ticket } = await this.call("POST", "auth/ticket", {});
    return { ticket };
  }

  /** One page of conversations by `status`, `visitor`, `updated_after`; `next` of the answer is the address of the following one. */
  conversations(query) {
    return this.call("GET", `chat/agent/conversations?${new URLSearchParams(query)}`);
  }

  page(address) {
    const { pathname, search } = new URL(address, location.href);
    return request("GET", pathname + search, undefined, { csrf: this.csrf });
  }

  events(id, after, limit) {
    return this.call("GET", `chat/conversation/${id}/events?after_seq=${after}&limit=${limit}`);
  }

  act(id, verb, body = {}) {
    return this.call("POST", `chat/conversation/${id}/${verb}`, body);
  }

  presence(status) {
    return status ? this.call("POST", "chat/agent/presence", { status }) : this.call("GET", "chat/agent/presence");
  }
}
