// The sign-in form. It accepts a secret key, a member key or the operator key.

import { useSignal } from "@preact/signals";
import { signIn, signOutReason } from "../client";
import { Fault, Field, Logo, useAction } from "../ui";

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
        <h1><Logo />HelpBot</h1>
        <p>Sign in with a secret key or your member key. The server printed a secret key at its first start. Create more keys under API keys and Members.</p>
        <Fault text={error || signOutReason.value} />
        <Field label="Key" hint="The key begins with sk_live_ or pat_live_. It is kept only in the memory of this page.">
          {(field) => <input {...field} type="password" autocomplete="off" spellcheck={false} required value={key.value}
            onInput={(e) => void (key.value = e.currentTarget.value)} />}
        </Field>
        <label class="check"><input type="checkbox" checked={isKept.value} onChange={(e) => void (isKept.value = e.currentTarget.checked)} />
          Keep me signed in until I close this tab</label>
        <button type="submit" class="solid" disabled={isBusy}>Sign in</button>
      </form>
    </main>
  );
}
