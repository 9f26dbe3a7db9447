// /demo: the widget on a demo shop. The server writes the widget key of the first site into a meta tag.

import { placeWidget } from "./place";

const key = document.querySelector<HTMLMetaElement>("meta[name=helpbot-widget-key]")?.content ?? "";
if (/^[A-Za-z]+_/.test(key)) placeWidget(key);
else document.getElementById("no-key")!.hidden = false;
