// /embed?apiKey=…: only the panel, for sites that allow iframes but no third-party scripts.

import { placeWidget } from "./place";

const apiKey = new URLSearchParams(location.search).get("apiKey");
const fault = document.getElementById("fault")!;
if (apiKey) {
  placeWidget(apiKey, document.getElementById("place")!);
} else {
  fault.hidden = false;
  fault.textContent = "This page needs a widget key in its URL: /embed?apiKey=wk_live_…";
}
