// What all fields need to know about keys.

/**
 * Whether a key belongs to an input method, which ends or cancels a composition with it. Safari reports such keys with the key
 * code 229 and without `isComposing`.
 */
export const isOfInputMethod = (event: KeyboardEvent): boolean => event.isComposing || event.keyCode === 229;
