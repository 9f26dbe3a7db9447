// A small web site for the server under test: pages with answers, a page that robots.txt disallows, a page that
// does not exist, and a URL where webhook deliveries always fail.

import { createServer } from "node:http";

const page = (title, body) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body><main><h1>${title}</h1>${body}</main></body></html>`;
const faq = (pairs) => pairs.map(([question, answer]) => `<h2>${question}</h2><p>${answer}</p>`).join("");

const PAGES = {
  "/faq": page("Questions about our bags", faq([
    ["How long does delivery take?", "Delivery takes 2 to 4 working days in this country and up to ten elsewhere. You get a tracking link when the parcel leaves."],
    ["Is the canvas waterproof?", "It is waxed, so rain runs off. It is not made to lie in water."],
    ["Can I return a bag?", "Yes, within 30 days, unused and with its label. We pay for the return."],
    ["How do I care for the wax?", "Brush off dry dirt and wax the bag again once a year."],
  ]) + '<p><a href="/faq/repairs">Repairs</a> <a href="/faq/secret">Prices for shops</a> <a href="/faq/gone">Old stock</a></p>'),
  "/faq/repairs": page("Repairs", faq([["Do you mend torn straps?", "Yes, for free in the first five years. Bring the bag in or send it to us."]])),
  "/faq/secret": page("Prices for shops", "<p>Not for everyone.</p>"),
  "/guide": page("Size guide", faq([["Which bag fits a laptop?", "The Rollo pack fits a laptop of up to 15 inches."]]) + '<a href="/guide/straps">Straps</a>'),
  "/guide/straps": page("Straps", faq([["How long is the strap?", "It can be adjusted from 60 to 120 centimeters."]])),
  "/robots.txt": "User-agent: *\nDisallow: /faq/secret\nCrawl-delay: 0\n",
};

/** Starts the site. Returns `{origin, stop, pages}`. Tests can add to `pages`. */
export async function startShop(more = {}) {
  const pages = { ...PAGES, ...more };
  const server = createServer((request, response) => {
    const text = pages[request.url];
    const status = request.url === "/hook" ? 503 : text === undefined ? 404 : 200;
    response.writeHead(status, { "Content-Type": request.url.endsWith(".txt") ? "text/plain" : "text/html; charset=utf-8" });
    response.end(text ?? "Not here");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, pages, stop };
}
