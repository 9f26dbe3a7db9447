// The settings of the widget as `GET /api/v1/config` returns them: 23 fields, all of which are always present.

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

const COLORS = [
  ["primary", "primaryColor"], ["on-primary", "primaryForeground"], ["panel", "backgroundColor"],
  ["on-panel", "foregroundColor"], ["bubble", "secondaryColor"], ["on-bubble", "secondaryForeground"],
] as const;

/** Applies colors and position to the element through CSSOM, which a strict content security policy allows. */
export function applyConfig(host: HTMLElement, config: WidgetConfig): void {
  for (const [name, field] of COLORS) host.style.setProperty(`--hb-${name}`, config[field]);
  host.dataset.position = config.position;
}
