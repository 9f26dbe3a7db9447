// Adds the widget to HelpBot's own pages with the same script that customers use.

/**
 * Loads `/widget.js` for `apiKey`. With `place` the panel fills that element and gets the attributes `options`. Without it
 * the launcher floats in a corner.
 */
export function placeWidget(apiKey: string, place?: HTMLElement, options: Record<string, string | null> = {}): void {
  const script = document.createElement("script");
  script.src = "/widget.js";
  if (place) {
    const widget = document.createElement("helpbot-widget");
    widget.setAttribute("api-key", apiKey);
    widget.setAttribute("inline", "");
    for (const [name, value] of Object.entries(options)) if (value) widget.setAttribute(name, value);
    place.append(widget);
  } else {
    script.dataset.apiKey = apiKey;
  }
  document.head.append(script);
}
