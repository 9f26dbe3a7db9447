// The widget's settings as `GET /api/v1/config` gives them: 23 fields, every one always present.

export interface WidgetConfig {
  primaryColor: string;
  primaryForeground: string;
  backgroundColor: string;
  foregroundColor: string;
  secondaryColor: string;
  secondaryForeground: string;
  position: "bottom-right" | "bottom-left";
  greeting: string;
  botName: string;
  showBranding: boolean;
  aiLanguage: string;
  inputPlaceholder: string;
  typingText: string;
  onlineText: string;
  handoffText: string;
  handoffSentText: string;
  emailPlaceholder: string;
  emailSendText: string;
  emailSkipText: string;
  feedbackYesText: string;
  feedbackNoText: string;
  errorText: string;
  networkErrorText: string;
}

const COLOURS = [
  ["primary", "primaryColor"], ["on-primary", "primaryForeground"], ["panel", "backgroundColor"],
  ["on-panel", "foregroundColor"], ["bubble", "secondaryColor"], ["on-bubble", "secondaryForeground"],
] as const;

/** Puts colours and corner on the element; through CSSOM, so that a strict CSP allows it. */
export function applyConfig(host: HTMLElement, config: WidgetConfig): void {
  for (const [name, field] of COLOURS) host.style.setProperty(`--hb-${name}`, config[field]);
  host.dataset.position = config.position;
}
