/** The visitor's other tabs: what happens in one is told to all. Same origin, same customer's site, same widget. */

export class Tabs {
  #channel;

  constructor(name, hear) {
    try {
      this.#channel = new BroadcastChannel(name);
      this.#channel.onmessage = ({ data }) => hear(data);
    } catch (refused) {
      this.#channel = null;
    }
  }

  tell(type, fields = {}) {
    this.#channel?.postMessage({ type, ...fields });
  }
}
