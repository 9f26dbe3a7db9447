// Settings of the person at this browser: sound, notifications, whether Enter sends a reply, and the color scheme. They are remembered in
// localStorage.

import { type Signal, signal } from "@preact/signals";

export interface Setting {
  isOn: Signal<boolean>;
  set(isOn: boolean): void;
}

function read(name: string): string {
  try {
    return localStorage.getItem(`helpbot:${name}`) ?? "";
  } catch {
    return "";
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(`helpbot:${name}`, value);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

function setting(name: string, fallback: boolean): Setting {
  const isOn = signal((read(name) || (fallback ? "on" : "off")) === "on");
  return {
    isOn, set: (value) => {
      isOn.value = value;
      write(name, value ? "on" : "off");
    },
  };
}

/** The sites whose list of first steps was closed. */
export const hiddenChecklists = {
  has: (siteId: string): boolean => read("closed-checklists").split(" ").includes(siteId),
  add: (siteId: string): void => write("closed-checklists", `${read("closed-checklists")} ${siteId}`.trim()),
};

/** The widget key of each site that was created in this browser. */
export const widgetKeys = {
  get: (siteId: string): string => read(`widget-key:${siteId}`),
  set: (siteId: string, key: string): void => write(`widget-key:${siteId}`, key),
};

export type Scheme = "system" | "light" | "dark";

const scheme = signal<Scheme>((["light", "dark"] as const).find((one) => one === read("scheme")) ?? "system");

/** The color scheme: that of the system, or a fixed one. */
export const colorScheme = {
  now: scheme,
  set: (value: Scheme): void => {
    scheme.value = value;
    write("scheme", value);
    apply();
  },
};

function apply(): void {
  document.documentElement.dataset["scheme"] = scheme.value;
}
apply();

export const sound = setting("sound", false);
/** Notifications of the browser. Earlier versions showed them together with the sound. */
export const notifications = setting("notifications", sound.isOn.value);
export const enterSends = setting("enter-sends", true);
