// Tells an agent that a visitor needs a human: with a sound and with a desktop notification, when they are turned on.

import { signal } from "@preact/signals";
import type { WatchEvent } from "./client";

const KEY = "helpbot:sound";

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** Whether sound and notifications are on. The choice is remembered in this browser. */
export const hasSound = signal(stored() === "on");

/** Turns sound and notifications on or off. The browser asks for permission the first time. */
export function setSound(isOn: boolean): void {
  hasSound.value = isOn;
  try {
    localStorage.setItem(KEY, isOn ? "on" : "off");
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  if (isOn && "Notification" in window && Notification.permission === "default") void Notification.requestPermission();
}

/** Announces the request for a human and the messages of visitors. */
export function notify({ type, conversation, message }: WatchEvent): void {
  const isForTeam = type === "CONVERSATION_HANDOFF" || type === "CONVERSATION_REOPENED" || message?.author === "VISITOR";
  if (!hasSound.value || !isForTeam) return;
  beep();
  if (document.visibilityState === "visible" || !("Notification" in window) || Notification.permission !== "granted") return;
  const title = message ? "New message of a visitor" : "A visitor asks for a human";
  new Notification(title, { body: message?.text ?? conversation?.question ?? "", tag: conversation?.id ?? type });
}

/** Two quiet tones. Browsers allow sound because the agent has interacted with the page. */
function beep(): void {
  const audio = new AudioContext();
  [660, 880].forEach((pitch, i) => {
    const [tone, gain] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = pitch;
    gain.gain.value = 0.05;
    tone.connect(gain).connect(audio.destination);
    tone.start(audio.currentTime + i * 0.16);
    tone.stop(audio.currentTime + i * 0.16 + 0.14);
  });
  setTimeout(() => void audio.close(), 1000);
}
