// The style sheet of the panel. The shadow root adopts it, so no styles leak in or out, and a strict content security
// policy allows it.

/** The dark scheme keeps the primary color of the site. */
const DARK = "--hb-panel:#171d24!important;--hb-on-panel:#e7ebf0!important;--hb-bubble:#28323e!important;--hb-on-bubble:#e7ebf0!important";

export const PANEL_STYLE = `
*{box-sizing:border-box;--edge:color-mix(in srgb,var(--hb-on-panel) 62%,var(--hb-panel))}
[hidden]{display:none!important}
:host([theme=dark]){${DARK}}
@media(prefers-color-scheme:dark){:host([theme=auto]){${DARK}}}
.badge{position:absolute;top:-4px;inset-inline-end:-4px;min-width:22px;padding:0 6px;border-radius:11px;background:#b91c1c;color:#fff;font:600 13px/22px system-ui;text-align:center}
.badge:empty{display:none}
.panel{position:absolute;bottom:72px;right:0;display:flex;flex-direction:column;width:384px;height:min(620px,calc(100dvh - 112px));
max-width:calc(100vw - 40px);overflow:hidden;overscroll-behavior:contain;border-radius:16px;background:var(--hb-panel);color:var(--hb-on-panel);
font:16px/1.5 system-ui,sans-serif;text-align:start;box-shadow:0 12px 48px rgb(0 0 0/.28),0 0 0 1px rgb(0 0 0/.08);animation:rise .18s ease-out}
:host([data-position=bottom-left]) .panel{right:auto;left:0}
:host([inline]) .panel{position:static;width:100%;max-width:none;height:100%;border-radius:0;box-shadow:none;animation:none}
@keyframes rise{from{opacity:0;transform:translateY(12px)}}
@media(max-width:480px),(max-height:480px){:host(:not([inline])) .panel{position:fixed;inset:0;width:100vw;max-width:none;height:100dvh;border-radius:0}.launch:has(~.panel:not([hidden])){visibility:hidden}}
@media(prefers-reduced-motion:reduce){*{animation:none!important}}
.head{display:flex;align-items:center;gap:4px;padding-block:10px;padding-inline:18px 8px;background:var(--hb-primary);color:var(--hb-on-primary)}
.who{flex:1;min-width:0}
.who h2{margin:0;font-size:17px;line-height:1.3;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.who p{margin:0;font-size:13px;display:flex;align-items:center;gap:6px}
.who p:before{content:"";width:8px;height:8px;border-radius:50%;background:currentColor}
.who p:not([data-state=live]):before{background:none;box-shadow:inset 0 0 0 2px currentColor}
button{font:inherit;color:inherit;cursor:pointer}
.icon{display:grid;place-items:center;width:44px;height:44px;border:0;border-radius:10px;background:none;flex:none}
.icon svg{width:22px;height:22px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.icon:hover{background:rgb(0 0 0/.15)}
:focus-visible{outline:2px solid currentColor;outline-offset:-3px}
.log{flex:1;min-height:0;overflow-y:auto;overscroll-behavior:contain;padding:16px;display:flex;flex-direction:column;gap:10px}
.msg{max-width:88%;align-self:flex-start;display:flex;flex-direction:column;gap:6px;align-items:flex-start}
.name{font-size:13px;margin:0 4px;font-weight:600}
.text{max-width:100%;padding:10px 14px;border-radius:16px;border-end-start-radius:4px;background:var(--hb-bubble);color:var(--hb-on-bubble);overflow-wrap:anywhere}
.visitor{align-self:flex-end;align-items:flex-end}
.visitor .text{background:var(--hb-primary);color:var(--hb-on-primary);border-radius:16px;border-end-end-radius:4px;white-space:pre-wrap}
.text>*{margin:0 0 8px}.text>:last-child{margin-bottom:0}
ul,ol{padding-inline-start:22px}
pre{overflow-x:auto;padding:8px;border-radius:8px;background:rgb(127 127 127/.16);font-size:14px}
.table{overflow-x:auto;font-size:14px}
table{border-collapse:collapse}
th,td{padding:4px 10px 4px 0;text-align:start;vertical-align:top;border-bottom:1px solid var(--edge);overflow-wrap:normal}
code{font:.9em ui-monospace,monospace}
a{color:inherit}
.links{margin:0;padding:0;list-style:none;font-size:14px;display:flex;flex-direction:column;max-width:100%}
.links a{display:flex;align-items:center;gap:8px;min-height:44px;padding:2px 6px;border-radius:8px;overflow-wrap:anywhere;line-height:1.3}
.links a:before{content:attr(data-n);flex:none;min-width:22px;height:22px;border-radius:6px;background:var(--hb-bubble);color:var(--hb-on-bubble);font-size:12px;line-height:22px;text-align:center}
.row,.chips{display:flex;flex-wrap:wrap;gap:6px;align-items:center}
.chip{min-height:44px;padding:6px 14px;border:1px solid var(--edge);border-radius:22px;background:none;color:var(--hb-on-panel);text-align:start;font-size:15px}
.chip:hover,.row .icon:hover{background:var(--hb-bubble);color:var(--hb-on-bubble)}
.row .icon[aria-pressed=true]{background:var(--hb-primary);color:var(--hb-on-primary)}
[aria-pressed]+[aria-pressed] svg{rotate:180deg}
.panel[data-live] [data-human]{display:none}
.hint,.bad{font-size:14px;margin:0 4px}
.visitor .hint{text-align:end}
.visitor:has(+.visitor) time,.agent:has(+.agent) time{display:none}
.note{align-self:center;font-size:14px;text-align:center;margin:4px 12px}
.dots{display:inline-flex;gap:4px;margin-inline-start:8px}
.dots i{width:6px;height:6px;border-radius:50%;background:currentColor;opacity:.3;animation:blink 1.2s infinite}
.dots i+i{animation-delay:.2s}.dots i+i+i{animation-delay:.4s}
@keyframes blink{30%{opacity:1}}
form{margin:0}
.mail{display:flex;flex-direction:column;gap:8px;padding:12px;border:1px solid var(--edge);border-radius:12px;width:100%}
input,textarea{font:inherit;color:inherit;background:var(--hb-panel);border:1px solid var(--edge);border-radius:12px;min-height:44px;padding:9px 12px}
::placeholder{color:inherit;opacity:.72}
.solid{min-height:44px;padding:6px 18px;border:0;border-radius:22px;background:var(--hb-primary);color:var(--hb-on-primary);font-weight:600}
.compose{display:flex;gap:8px;align-items:flex-end;padding:10px 12px;border-top:1px solid rgb(127 127 127/.3)}
textarea{flex:1;min-width:0;resize:none;max-height:128px;line-height:1.45}
.compose .icon{background:var(--hb-primary);color:var(--hb-on-primary);border-radius:12px}
[aria-disabled=true]{opacity:.6;cursor:default}
[dir=rtl] .compose svg{transform:scaleX(-1)}
.brand{margin:0;padding:0 12px 8px;text-align:center;font-size:12px}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
`;
