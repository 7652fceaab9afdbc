/** One file by multipart POST, with its progress: fetch cannot tell how much of a body has left, XMLHttpRequest can. */

import { Disconnected, Problem } from "./http.js";

/** Return a promise of the answer. `onProgress(share)` from 0 to 1; `signal` aborts; `token` and `csrf` as in `request`. */
export function upload(path, fields, { token = "", csrf = "", onProgress = () => {}, signal } = {}) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return new Promise((resolve, reject) => {
    const http = new XMLHttpRequest();
    const lost = () => reject(new Disconnected("The upload was cut off."));
    http.open("POST", path);
    http.setRequestHeader("Accept", "application/json");
    if (token) http.setRequestHeader("Authorization", `Bearer ${token}`);
    if (csrf) http.setRequestHeader("X-CSRFToken", csrf);
    http.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    http.onload = () => answered(http, resolve, reject);
    http.onerror = http.onabort = http.ontimeout = lost;
    signal?.addEventListener("abort", () => http.abort());
    http.send(body);
  });
}

function answered(http, resolve, reject) {
  const content = parsed(http.responseText);
  if (http.status >= 200 && http.status < 300) return resolve(content);
  reject(new Problem(content, http.status, Number(http.getResponseHeader("Retry-After")) || 0));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (notJson) {
    return {};
  }
}
