/** Files of a conversation as they are shown: images in place, others as a row to download. Addresses are signed and short-lived: read when needed. */

import { h, icon } from "../ui/dom.js";
import { fileSize } from "../ui/i18n.js";

const MARGIN_MILLISECONDS = 15_000;

export class Files {
  #known = new Map();

  /** `load(id)`: promise of `{url, expires_at, width, height}`; `onGrow()`: an image has taken its place. */
  constructor({ words, load, onGrow = () => {} }) {
    Object.assign(this, { words, load, onGrow });
  }

  /** Take an address that came with an upload's answer. */
  know(attachment) {
    if (attachment?.url) this.#known.set(attachment.id, attachment);
  }

  node(attachment) {
    return attachment.is_image ? this.#image(attachment) : this.#row(attachment);
  }

  #image(attachment) {
    const image = h("img", { class: "file__image", alt: attachment.file_name, decoding: "async" });
    const link = this.#link(attachment, "file file--image", image);
    let hasFailed = false;
    const show = async () => {
      const { url, width, height } = await this.#fresh(attachment.id);
      if (width && height) Object.assign(image, { width, height });
      Object.assign(image, { src: url });
      link.href = url;
    };
    image.addEventListener("load", () => this.onGrow());
    image.addEventListener("error", () => {
      this.#known.delete(attachment.id);
      if (!hasFailed) show().catch(() => {});
      hasFailed = true;
    });
    show().catch(() => link.classList.add("file--lost"));
    return link;
  }

  #row(attachment) {
    const link = this.#link(
      attachment,
      "file file--row",
      icon("file"),
      h("span", { class: "file__name", dir: "auto" }, attachment.file_name),
      h("span", { class: "file__size" }, fileSize(attachment.size, this.words.language)),
      icon("download"),
    );
    link.removeAttribute("target");
    link.download = attachment.file_name;
    return link;
  }

  /** A link whose address is looked up when it is followed, unless the one it has still holds. */
  #link(attachment, look, ...content) {
    const label = this.words("openFile", { name: attachment.file_name });
    const link = h("a", { class: look, href: "#", target: "_blank", rel: "noopener noreferrer", "aria-label": label, title: attachment.file_name }, content);
    link.addEventListener("click", async (event) => {
      if (this.#isFresh(attachment.id)) return void (link.href = this.#known.get(attachment.id).url);
      event.preventDefault();
      const { url } = await this.#fresh(attachment.id).catch(() => ({}));
      link.classList.toggle("file--lost", !url);
      if (url) link.click();
    });
    return link;
  }

  async #fresh(id) {
    if (!this.#isFresh(id)) this.#known.set(id, await this.load(id));
    return this.#known.get(id);
  }

  #isFresh(id) {
    return Date.parse(this.#known.get(id)?.expires_at ?? 0) - MARGIN_MILLISECONDS > Date.now();
  }
}
