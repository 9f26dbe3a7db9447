// Settings of the person at this browser: sound, and whether Enter sends a reply. They are remembered in localStorage.

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

export const sound = setting("sound", false);
export const enterSends = setting("enter-sends", true);
