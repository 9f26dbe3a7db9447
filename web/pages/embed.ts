// /embed?apiKey=…: the panel alone, for hosts that allow frames but no foreign scripts.

import { placeWidget } from "./place";

const apiKey = new URLSearchParams(location.search).get("apiKey");
const fault = document.getElementById("fault")!;
if (apiKey) {
  placeWidget(apiKey, document.getElementById("place")!);
} else {
  fault.hidden = false;
  fault.textContent = "This frame needs a widget key: /embed?apiKey=wk_live_…";
}
