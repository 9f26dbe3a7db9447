// Puts the widget on one of our own pages, through the same tag that customers use.

/** Loads `/widget.js` for `apiKey`; in `place` it fills the element, else it floats in its corner. */
export function placeWidget(apiKey: string, place?: HTMLElement): void {
  const script = document.createElement("script");
  script.src = "/widget.js";
  if (place) {
    const widget = document.createElement("helpbot-widget");
    widget.setAttribute("api-key", apiKey);
    widget.setAttribute("inline", "");
    place.append(widget);
  } else {
    script.dataset.apiKey = apiKey;
  }
  document.head.append(script);
}
