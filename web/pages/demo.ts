// /demo: the widget on a pretend shop; the server writes the first site's widget key into a meta tag.

import { placeWidget } from "./place";

const key = document.querySelector<HTMLMetaElement>("meta[name=helpbot-widget-key]")?.content ?? "";
if (/^[A-Za-z]+_/.test(key)) placeWidget(key);
else document.getElementById("no-key")!.hidden = false;
