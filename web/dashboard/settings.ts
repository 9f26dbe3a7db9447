// Settings of the person at this browser: sound, and whether Enter sends a reply. They are remembered in localStorage.

import { type Signal, signal } from "@preact/signals";

export interface Setting {
  isOn: Signal<boolean>;
  set(isOn: boolean): void;
}

function setting(name: string, fallback: boolean): Setting {
  const key = `helpbot:${name}`;
  const stored = () => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const isOn = signal((stored() ?? (fallback ? "on" : "off")) === "on");
  return {
    isOn, set: (value) => {
      isOn.value = value;
      try {
        localStorage.setItem(key, value ? "on" : "off");
      } catch {
        // Without storage the choice lasts as long as the page.
      }
    },
  };
}

export const sound = setting("sound", false);
export const enterSends = setting("enter-sends", true);
