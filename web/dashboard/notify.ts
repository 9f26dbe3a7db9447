// Tells an agent that a visitor needs a human: with a sound and with a notification of the browser, each when it is turned on.

import type { WatchEvent } from "./client";
import { go, pathOf } from "./route";
import { notifications, sound } from "./settings";

/** Turns notifications on or off. The browser asks for permission the first time. Without permission they stay off. */
export async function setNotifications(isOn: boolean): Promise<void> {
  const answer = isOn && "Notification" in window ? await Notification.requestPermission() : "denied";
  notifications.set(isOn && answer === "granted");
}

/** Announces the request for a human and the messages of visitors. */
export function notify({ type, conversation, conversationId, message }: WatchEvent): void {
  const isForTeam = type === "CONVERSATION_HANDOFF" || type === "CONVERSATION_REOPENED" || message?.author === "VISITOR";
  if (!isForTeam) return;
  if (sound.isOn.value) beep();
  if (!notifications.isOn.value || document.visibilityState === "visible" || !("Notification" in window) || Notification.permission !== "granted") return;
  const title = message ? "New message of a visitor" : "A visitor asks for a human";
  const shown = notification(title, { body: message?.text ?? conversation?.question ?? "", tag: conversation?.id ?? type });
  if (!shown) return;
  shown.onclick = () => {
    window.focus();
    go(pathOf("inbox", conversationId ? { tab: "all", open: conversationId } : {}));
    shown.close();
  };
}

/** Shows a notification. Null where pages may not show any themselves, as in Chrome on Android. */
function notification(title: string, options: NotificationOptions): Notification | null {
  try {
    return new Notification(title, options);
  } catch {
    return null;
  }
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
