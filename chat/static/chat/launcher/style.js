/* A constructed stylesheet in a shadow root: the page's style-src has no say in it, nor have the page's own rules. */

const STYLE = `
:host{all:initial;position:fixed;z-index:2147483000;inset:auto;display:block}
:host([hidden]){display:none!important}
@media print{:host{display:none}}
*{box-sizing:border-box}[hidden]{display:none!important}
button{margin:0;padding:0;border:0;cursor:pointer;-webkit-tap-highlight-color:transparent}
.b{position:fixed;display:grid;place-items:center;width:56px;height:56px;border-radius:50%;background:var(--fill);color:var(--ink);
box-shadow:0 1px 3px rgb(20 20 40/18%),0 8px 24px rgb(20 20 40/22%);animation:i .28s cubic-bezier(.2,.9,.3,1.2);transition:transform .16s ease,box-shadow .16s ease}
.b:hover{transform:scale(1.05)}.b:active{transform:scale(.96)}
:focus-visible{outline:3px solid var(--ring);outline-offset:3px;box-shadow:0 0 0 3px var(--paper)}
.b svg{grid-area:1/1;width:28px;height:28px;fill:none;stroke:currentColor;stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round;transition:transform .2s ease,opacity .16s ease}
.b svg+svg{opacity:0;transform:rotate(-60deg) scale(.6)}
.o .b svg{opacity:0;transform:rotate(60deg) scale(.6)}.o .b svg+svg{opacity:1;transform:none}
.n{position:absolute;top:-3px;right:-3px;min-width:22px;height:22px;padding:0 6px;border-radius:11px;border:2px solid #fff;background:#c8222a;color:#fff;font:600 12px/18px system-ui,sans-serif;text-align:center}
.left .n{right:auto;left:-3px}
.g{position:fixed;display:flex;align-items:flex-start;max-width:min(300px,calc(100vw - 40px));border-radius:16px;background:var(--paper);color:var(--text);
font:400 15px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif;box-shadow:0 1px 3px rgb(20 20 40/14%),0 10px 34px rgb(20 20 40/20%);animation:g .24s cubic-bezier(.2,.8,.2,1)}
.g:empty,.o .g{display:none}
.t{flex:1;min-width:0;padding:13px 2px 13px 16px;background:none;color:inherit;font:inherit;text-align:start;overflow-wrap:anywhere;border-radius:16px}
[dir=rtl] .t{padding:13px 16px 13px 2px}
.t b{display:block;font-weight:600;font-size:13px}.t span{display:-webkit-box;overflow:hidden;-webkit-box-orient:vertical;-webkit-line-clamp:4}
.x{flex:none;display:grid;place-items:center;width:32px;height:32px;margin:6px;border-radius:50%;background:none;color:inherit}
.x:hover{background:rgb(128 128 144/18%)}.x svg{width:16px;height:16px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round}
.p{position:fixed;width:392px;height:min(664px,calc(100dvh - 112px));border-radius:18px;overflow:hidden;background:var(--paper);
box-shadow:0 2px 8px rgb(20 20 40/10%),0 20px 60px rgb(20 20 40/24%);visibility:hidden;opacity:0;transform:translateY(var(--lift)) scale(.98);
transition:opacity .16s ease,transform .2s cubic-bezier(.2,.8,.2,1),visibility 0s .2s}
.o .p{visibility:visible;opacity:1;transform:none;transition-delay:0s}
.p iframe{display:block;width:100%;height:100%;border:0;color-scheme:normal}
.bottom .b{bottom:max(20px,env(safe-area-inset-bottom))}.bottom .p,.bottom .g{bottom:92px;--lift:14px}
.top .b{top:max(20px,env(safe-area-inset-top))}.top .p,.top .g{top:92px;--lift:-14px}
.right .b,.right .p,.right .g{right:20px}.left .b,.left .p,.left .g{left:20px}
@media(max-width:480px){.o .p.p{inset:0 0 auto;width:100%;height:100dvh;border-radius:0;
padding:env(safe-area-inset-top) env(safe-area-inset-right) env(safe-area-inset-bottom) env(safe-area-inset-left)}.o .b{visibility:hidden}}
@media(max-height:520px) and (min-width:481px){.p{height:calc(100dvh - 24px)}.bottom .p{bottom:12px}.top .p{top:12px}.right .p{right:92px}.left .p{left:92px}}
@media(prefers-reduced-motion:reduce){.b,.b svg,.p,.g{animation:none;transition:none}}
@media(forced-colors:active){.b,.g,.p{border:1px solid}}
@keyframes i{from{opacity:0;transform:scale(.6)}}
@keyframes g{from{opacity:0;transform:translateY(8px)}}`;

const PAPERS = { light: ["#fff", "#1b1b25"], dark: ["#16161b", "#ededf3"] };

/* The same rule as the panel's color.js: deepen the colour until white reads on it, or write dark on a light one. */
function ground(hex) {
  let rgb = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  if (whiteContrast(rgb) < 2.5) return [hex, "#14141e"];
  while (whiteContrast(rgb) < 4.5) rgb = rgb.map((value) => Math.floor(value * 0.97));
  return [`rgb(${rgb})`, "#fff"];
}

function whiteContrast(rgb) {
  const [red, green, blue] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05);
}
