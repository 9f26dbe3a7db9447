// Tells an agent that a visitor needs a human: with a sound and with a desktop notification, when they are turned on.

import type { WatchEvent } from "./client";
import { sound } from "./settings";

/** Turns sound and notifications on or off. The browser asks for permission the first time. */
export function setSound(isOn: boolean): void {
  sound.set(isOn);
  if (isOn && "Notification" in window && Notification.permission === "default") void Notification.requestPermission();
}

/** Announces the request for a human and the messages of visitors. */
export function notify({ type, conversation, message }: WatchEvent): void {
  const isForTeam = type === "CONVERSATION_HANDOFF" || type === "CONVERSATION_REOPENED" || message?.author === "VISITOR";
  if (!sound.isOn.value || !isForTeam) return;
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
