/** When to draw, and how much of the page can be seen. */

const HIDDEN_MILLISECONDS = 300;

/** Return a function that has `draw` run once in the next frame, or soon after where a hidden page has none. */
export function oncePerFrame(draw) {
  let frame = 0;
  let timer = 0;
  const run = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = timer = 0;
    draw();
  };
  return () => {
    if (timer) return;
    frame = requestAnimationFrame(run);
    timer = setTimeout(run, HIDDEN_MILLISECONDS);
  };
}

/** On a phone the keyboard covers the page instead of shrinking it: keep the desk as high as what can be seen. */
export function fitViewport(element) {
  const view = window.visualViewport;
  if (!view) return;
  const fit = () => {
    element.style.setProperty("--seen", `${view.height}px`);
    if (view.offsetTop) window.scrollTo(0, 0);
  };
  view.addEventListener("resize", fit);
  view.addEventListener("scroll", fit);
  fit();
}
