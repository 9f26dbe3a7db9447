// /embed?apiKey=…: only the panel, for sites that allow iframes but no third-party scripts. `theme` and
// `questions` are those of the tag.

import { placeWidget } from "./place";

const query = new URLSearchParams(location.search);
const apiKey = query.get("apiKey");
const fault = document.getElementById("fault")!;
if (apiKey) {
  placeWidget(apiKey, document.getElementById("place")!, { theme: query.get("theme"), questions: query.get("questions") });
} else {
  fault.hidden = false;
  fault.textContent = "This page needs a widget key in its URL: /embed?apiKey=wk_live_…";
}
