// The sign-in forms: a link by mail for members, or a key. And the page that a mailed link opens.

import { useSignal } from "@preact/signals";
import { linkToken, mailLink, openLink, signIn, signOutReason } from "../client";
import { Act, Fault, Field, Logo, useAction } from "../ui";

export function SignInPage() {
  return (
    <main class="signin">
      <MailForm />
      <KeyForm />
    </main>
  );
}

/** Asks for a link. The answer is the same for every address, so that nobody learns who is a member. */
function MailForm() {
  const email = useSignal("");
  const sentTo = useSignal("");
  const { isBusy, error, act } = useAction();
  const submit = (event: Event) => {
    event.preventDefault();
    const text = email.value.trim();
    void act(async () => {
      await mailLink(text);
      sentTo.value = text;
    });
  };
  return (
    <form onSubmit={submit}>
      <h1><Logo />HelpBot</h1>
      <Fault text={error || signOutReason.value} />
      {sentTo.value
        ? <p role="status">If <b class="break">{sentTo.value}</b> is the address of a member, a link is on its way. Open it in this browser within 15 minutes.</p>
        : <Field label="E-mail" hint="Members sign in with a link by mail.">{(field) => <input {...field} type="email" autocomplete="email" required value={email.value}
          onInput={(e) => void (email.value = e.currentTarget.value)} />}</Field>}
      {sentTo.value ? <button type="button" onClick={() => void (sentTo.value = "")}>Use another address</button>
        : <button type="submit" class="solid" disabled={isBusy}><Act icon="mail">Mail me a link</Act></button>}
    </form>
  );
}

/** Accepts a secret key, a member key or the operator key. */
function KeyForm() {
  const key = useSignal("");
  const isKept = useSignal(false);
  const { isBusy, error, act } = useAction();
  const submit = (event: Event) => {
    event.preventDefault();
    const text = key.value.trim();
    if (text) void act(() => signIn(text, isKept.value));
  };
  return (
    <form onSubmit={submit}>
      <p>Or sign in with a secret key or your member key. The server printed a secret key at its first start. Create more keys under API keys and Members.</p>
      <Fault text={error} />
      <Field label="Key" hint="The key begins with sk_live_ or pat_. It is kept only in the memory of this page.">
        {(field) => <input {...field} type="password" autocomplete="off" spellcheck={false} required value={key.value}
          onInput={(e) => void (key.value = e.currentTarget.value)} />}
      </Field>
      <label class="check"><input type="checkbox" checked={isKept.value} onChange={(e) => void (isKept.value = e.currentTarget.checked)} />
        Keep me signed in until I close this tab</label>
      <button type="submit" class="solid" disabled={isBusy}>Sign in</button>
    </form>
  );
}

/** Waits for a click before it uses the link, because programs that check mails open links too. */
export function LinkPage() {
  const { isBusy, error, act } = useAction();
  return (
    <main class="signin">
      <form onSubmit={(event) => { event.preventDefault(); void act(openLink); }}>
        <h1><Logo />HelpBot</h1>
        <p>You opened a link that was mailed to you.</p>
        <Fault text={error} />
        <button type="submit" class="solid" disabled={isBusy}>Continue to the dashboard</button>
        {error && <button type="button" onClick={() => void (linkToken.value = "")}>Ask for a new link</button>}
      </form>
    </main>
  );
}
