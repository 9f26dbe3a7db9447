import crypto from "node:crypto";

const signature = req.headers["x-helpbot-signature"];
const expected = "sha256=" +
  crypto.createHmac("sha256", WEBHOOK_SECRET)
    .update(rawBody)
    .digest("hex");

if (signature !== expected) {
  return new Response("Invalid signature", { status: 401 });
}
