// The server's OpenAPI document, for the scripts that check it.
import { fileURLToPath } from 'node:url';

/** This directory. */
export const here = fileURLToPath(new URL('.', import.meta.url)).replace(/\/$/, '');

/** The document that the server at `base` serves, as text. */
export async function fetchDocument(base) {
  const response = await fetch(new URL('/api/openapi.json', base));
  if (!response.ok) throw new Error(`the document was answered with ${response.status}`);
  return response.text();
}
