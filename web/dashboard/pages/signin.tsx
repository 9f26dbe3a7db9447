// Signing in with a secret key, a member's key, or the operator's token.

import { useSignal } from "@preact/signals";
import { signIn, signOutReason } from "../client";
import { Fault, Field, useAction } from "../ui";

export function SignInPage() {
  const key = useSignal("");
  const isKept = useSignal(false);
  const { isBusy, error, act } = useAction();
  const submit = (event: Event) => {
    event.preventDefault();
    const text = key.value.trim();
    if (text) void act(() => signIn(text, isKept.value));
  };
  return (
    <main class="signin">
      <form onSubmit={submit}>
        <h1>HelpBot</h1>
        <p>Sign in with a secret key or your own member key. The first start of the server printed one; more are made under API keys and Members.</p>
        <Fault text={error || signOutReason.value} />
        <Field label="Key" hint="Begins with sk_live_ or pat_live_. It stays in this page's memory.">
          {(field) => <input {...field} type="password" autocomplete="off" spellcheck={false} required value={key.value}
            onInput={(e) => void (key.value = e.currentTarget.value)} />}
        </Field>
        <label class="check"><input type="checkbox" checked={isKept.value} onChange={(e) => void (isKept.value = e.currentTarget.checked)} />
          Keep it for this tab, until it is closed</label>
        <button type="submit" class="solid" disabled={isBusy}>Sign in</button>
      </form>
    </main>
  );
}
