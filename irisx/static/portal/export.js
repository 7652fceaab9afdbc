/** Watches a file being made: asks every two seconds, and shows the page anew when it is done. */

const EVERY_MS = 2_000;
const box = document.querySelector("[data-export]");

async function look() {
  const answer = await fetch(box.dataset.export, { headers: { Accept: "application/json" } }).catch(() => null);
  if (answer?.ok) {
    const job = await answer.json();
    if (job.status === "done" || job.status === "failed") return location.reload();
    box.querySelector("[data-done]").textContent = job.done_count;
    box.querySelector("progress").value = job.done_count;
  }
  setTimeout(look, EVERY_MS);
}

if (box) setTimeout(look, EVERY_MS);
