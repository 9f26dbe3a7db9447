// Days in the time zone of the browser.

/** The beginning of a day, this many days ago. Days can have 23 or 25 hours. */
export const midnight = (daysAgo: number, now = new Date()): Date => new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo);
