/** A picture of the thread, as large as the screen lets it be. */

import { h } from "../../ui/dom.js";
import { openDialog } from "./dialog.js";

/** Wrap `files` so that a click on a picture opens it here. `load(id)`: the attachment with its `url`. */
export function withLightbox({ files, load, words, refused }) {
  const show = async (attachment) => {
    try {
      const { url } = await load(attachment.id);
      open(attachment, url, words);
    } catch (error) {
      refused(error);
    }
  };
  const node = (attachment) => {
    const link = files.node(attachment);
    if (attachment.is_image) link.addEventListener("click", (event) => (event.preventDefault(), event.stopImmediatePropagation(), show(attachment)), { capture: true });
    return link;
  };
  return { node };
}

function open({ file_name }, url, words) {
  const fetch = h("a", { class: "btn", href: url, download: file_name, target: "_blank", rel: "noopener noreferrer" }, words("download"));
  openDialog({ title: file_name, words, look: "dialog--picture" }, h("img", { class: "picture", src: url, alt: file_name }), h("div", { class: "dialog__acts" }, fetch));
}
