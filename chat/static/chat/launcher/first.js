/*
 * The IRISX chat widget: <script async src="https://…/widget.js" data-widget-key="cw_…"></script>
 * A button in a shadow root; the panel behind it is an iframe of our origin, made on first intent.
 * A page with a strict CSP needs script-src, connect-src and frame-src for our origin, nothing else.
 */

let script = document.currentScript || document.querySelector("script[data-widget-key]");
if (!script) return;
if (window.IRISX && window.IRISX.version) return window.IRISX.attach(script);

let key = script.getAttribute("data-widget-key");
const BASE = new URL(script.src, location.href).origin;
